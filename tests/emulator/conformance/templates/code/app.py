"""Tells what it sees: its environment variables, and what it can import of the modules that the event names."""

import importlib
import os
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers an Invoke with everything, a frame with the function's own name."""
    if "requestContext" in event:
        return {"statusCode": 200, "body": context.function_name}
    return {"variables": dict(os.environ), "imported": {name: _import(name) for name in event.get("modules", [])}}


def _import(name: str) -> str | None:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return f"{type(error).__name__}: {error}"
    return str(getattr(module, "VALUE", None))
