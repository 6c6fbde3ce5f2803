"""What runs inside an engine: the narrow protocol of agents, and the one that pydantic-ai drives."""
