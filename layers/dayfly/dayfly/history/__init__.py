"""What was said in a thread: written as one piece when a run ends, read back by page, by turn or by search."""
