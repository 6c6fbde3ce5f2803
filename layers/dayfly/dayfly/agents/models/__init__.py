"""The models that a `MODEL` setting can name."""
