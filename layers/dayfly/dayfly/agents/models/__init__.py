"""The models that a `MODEL` setting can name. Each is opened for one run, and closed when the run ends."""
