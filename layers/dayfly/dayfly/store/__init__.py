"""The one table: its port, keys, rows and retries."""
