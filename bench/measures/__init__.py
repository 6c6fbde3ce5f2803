"""The measures: each gives the tables of one question."""
