"""What is stored: keys, rows, the run log's journal, and the history folded from it. No I/O."""
