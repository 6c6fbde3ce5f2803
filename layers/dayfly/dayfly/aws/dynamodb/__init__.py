"""The table port over DynamoDB."""
