"""What can be wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """The template cannot be run; the message is one line for the developer."""
