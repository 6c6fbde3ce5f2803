"""Whose run it is: identities, ids, the one reference of a run, and the frozen context of an attempt."""
