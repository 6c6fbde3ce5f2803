"""Helpers of the build and of the checks; nothing here is deployed."""
