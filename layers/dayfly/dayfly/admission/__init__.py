"""The router's side: who is asking, what for, and the one transaction that lets a run in."""
