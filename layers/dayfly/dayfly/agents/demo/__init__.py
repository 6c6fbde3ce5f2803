"""The model of `MODEL=demo`: scripted, deterministic, and in need of nothing."""

from dayfly.agents.demo.model import opener

__all__ = ["opener"]
