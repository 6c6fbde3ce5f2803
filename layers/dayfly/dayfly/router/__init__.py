"""One client frame in, one reply out: one file an action."""
