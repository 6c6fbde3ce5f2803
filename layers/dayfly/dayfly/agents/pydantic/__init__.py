"""The loop between model and tools as pydantic-ai drives it, behind the narrow protocol."""
