"""From a conversation to a request: what its provider takes, what it wants back, and what its model can hold."""
