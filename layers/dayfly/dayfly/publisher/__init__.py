"""The way from an event to everyone who watches: append to the run log first, post second."""
