"""An init phase that goes wrong, as `INIT` says."""

from __future__ import annotations

import importlib
import os
import time
from typing import Any

match os.environ["INIT"]:
    case "import":
        importlib.import_module("no_such_module")
    case "syntax":
        raise SyntaxError("invalid syntax")
    case "raise":
        raise RuntimeError("not today")
    case "exit":
        os._exit(3)
    case "slow":
        time.sleep(1.5)


def handler(event: Any, context: Any) -> Any:
    """Answer, if it comes to that."""
    return "ready"
