"""What clients ask for: one file for each action, and the registry that names them."""
