"""Agents driven by pydantic-ai."""
