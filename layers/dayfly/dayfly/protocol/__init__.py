"""The wire, version 1: the frames that clients send, the replies and events that they get, and the limits of each."""
