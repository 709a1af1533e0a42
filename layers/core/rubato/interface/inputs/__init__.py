"""What the actions take. Shapes and ranges are checked here, rules across fields in rubato.domain.checks."""
