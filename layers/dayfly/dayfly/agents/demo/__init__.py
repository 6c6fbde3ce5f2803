"""The model of `MODEL=demo`: scripted, deterministic, and in need of nothing."""
