"""The models that a `MODEL` setting can name: each opened for one run, and closed behind it."""
