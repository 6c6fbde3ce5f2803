"""Dayfly: a serverless backend for AI agent chat on AWS. Each run lives in an isolated engine of its own."""
