"""All tests at once, in lanes: `python -m tests.lanes`."""
