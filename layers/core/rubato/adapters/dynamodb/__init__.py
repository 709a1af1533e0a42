"""The DynamoDB store: one file per table."""
