"""What a person types: the `rubato` command."""
