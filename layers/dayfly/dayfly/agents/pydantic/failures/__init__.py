"""What goes wrong between this backend and a model: what may pass, when it is tried again, and how it is told."""
