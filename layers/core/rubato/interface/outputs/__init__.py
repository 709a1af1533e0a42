"""What the actions answer. Every time is ISO 8601 in UTC, every duration in milliseconds."""
