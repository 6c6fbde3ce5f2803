"""The tools of one agent as the library can call them, and the carrying out of their calls."""
