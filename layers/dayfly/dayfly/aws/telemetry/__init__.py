"""What an invocation tells its operator: logs, metrics and traces."""
