"""Writes what follows from the models of the wire protocol: its documents and sample events. `make docs`."""
