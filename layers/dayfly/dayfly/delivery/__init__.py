"""Sockets: which are open, which watch a thread, and the way of committed events to them, in order."""
