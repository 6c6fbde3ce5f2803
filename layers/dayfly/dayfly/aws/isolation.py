"""Whose runs may share a Lambda environment: the template's parameter.

A module of its own, so that settings can name it without loading boto3's client library."""

from enum import StrEnum


class Isolation(StrEnum):
    """Whose runs may share a Lambda environment."""

    USER = "user"
    TENANT = "tenant"
    NONE = "none"
