"""What the core asks of the world: a table, a way to post, a way to invoke, a clock, a meter."""
