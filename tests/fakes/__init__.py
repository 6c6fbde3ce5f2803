"""Stand-ins for the world around the core, in one place."""
