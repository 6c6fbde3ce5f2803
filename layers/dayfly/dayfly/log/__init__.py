"""The run log: numbering a batch, appending it, reading it back, folding it, and what its events may show."""
