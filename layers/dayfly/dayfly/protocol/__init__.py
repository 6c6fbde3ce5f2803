"""The wire protocol, version 1: what clients send, what they are answered, and the events they watch."""
