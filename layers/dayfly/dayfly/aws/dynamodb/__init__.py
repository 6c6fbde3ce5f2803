"""The table port over DynamoDB: rows as items, conditions as expressions, and what each error settles."""
