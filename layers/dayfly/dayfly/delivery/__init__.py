"""Sockets: who watches, and how events reach them in order."""
