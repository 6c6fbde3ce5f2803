"""Faults on demand: what can go wrong on AWS, told to go wrong here, for a while."""
