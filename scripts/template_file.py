"""Reads a SAM template."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

Template = dict[str, Any]
"""A template's parsed form: a document of AWS's making, not a type of ours."""


def load(path: Path) -> Template:
    """Read a SAM template; short intrinsics such as `!Ref` become their long forms."""
    template: Template = yaml_parse(path.read_text(encoding="utf-8"))
    return template
