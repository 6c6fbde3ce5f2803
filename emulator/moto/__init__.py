"""The moto server, in a process of its own."""
