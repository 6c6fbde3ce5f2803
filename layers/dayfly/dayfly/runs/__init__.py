"""A run's life: its state, its lease, and every transition between them."""
