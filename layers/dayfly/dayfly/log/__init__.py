"""The run log: append, read, fold, and the shape of what it shows."""
