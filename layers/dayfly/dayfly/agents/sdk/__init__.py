"""What a developer imports to write and test an agent."""
