"""From a response to an answer: its stream in pieces, its thoughts apart, and how it ended."""
