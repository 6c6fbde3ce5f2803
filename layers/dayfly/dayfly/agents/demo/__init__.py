"""The model of `MODEL=demo`: scripted, deterministic, and in need of nothing."""

from dayfly.agents.demo.model import demo_model

__all__ = ["demo_model"]
