"""When an engine dies: the notice of its failure, and the sweep that misses nothing."""
