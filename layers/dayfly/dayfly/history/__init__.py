"""What was said in a thread: stored in chunks when a run ends, read back by page, turn or search."""
