"""One attempt of one run: an engine that the factory makes fresh, that runs once and is closed for good."""
