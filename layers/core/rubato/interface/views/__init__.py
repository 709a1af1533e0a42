"""From domain values to answers."""
