"""A run's life: its state, its lease, its thread's queue, and every transition from its admission to its end."""
