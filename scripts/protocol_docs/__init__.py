"""Writes docs/protocol.md and docs/asyncapi.json from the models of the wire protocol: `make docs`."""
