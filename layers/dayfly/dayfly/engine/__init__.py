"""One run, one engine: made fresh by the factory, run once, closed for good."""
