"""What a developer imports to write an agent and its tools, and to test them."""
