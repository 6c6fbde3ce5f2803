"""Does what its event says: `{"do": [[verb, argument], …]}`; the answer is that of the last step."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENVIRONMENT = str(uuid.uuid4())
STATE = {"calls": 0, "ticks": 0}
KEPT: list[bytearray] = []


class Refused(Exception):
    """An error of the application's own."""


def raises(message: Any, context: Any) -> Any:
    """End with an exception."""
    raise Refused(message)


def calls(argument: Any, context: Any) -> Any:
    """Which environment this is, and how many invocations it has had."""
    STATE["calls"] += 1
    return [ENVIRONMENT, STATE["calls"]]


def spawn(argument: Any, context: Any) -> Any:
    """Start a thread that counts, for as long as the environment lives."""

    def count() -> None:
        while True:
            STATE["ticks"] += 1
            time.sleep(0.01)

    threading.Thread(target=count, daemon=True).start()


def about(argument: Any, context: Any) -> Any:
    """What the context says."""
    client = context.client_context
    return {
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "remaining": context.get_remaining_time_in_millis(),
        "tenant_id": context.tenant_id,
        "identity": context.identity.cognito_identity_id,
        "custom": client and client.custom,
        "app_title": client and client.client and client.client.app_title,
    }


def allocate(megabytes: Any, context: Any) -> Any:
    """Use so much memory, and keep it."""
    KEPT.append(bytearray(os.urandom(1024)) * (megabytes * 1024))


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "return": lambda argument, context: argument,
    "repeat": lambda argument, context: argument[0] * argument[1],
    "object": lambda argument, context: object(),
    "raise": raises,
    "sleep": lambda argument, context: time.sleep(argument),
    "exit": lambda argument, context: sys.exit(argument),
    "_exit": lambda argument, context: os._exit(argument),
    "kill": lambda argument, context: os.kill(os.getpid(), argument),
    "calls": calls,
    "spawn": spawn,
    "ticks": lambda argument, context: STATE["ticks"],
    "context": about,
    "environ": lambda argument, context: dict(os.environ),
    "directory": lambda argument, context: [str(Path.cwd()), sys.path[0]],
    "allocate": allocate,
    "print": lambda argument, context: print(argument),
    "log": lambda argument, context: logging.getLogger().warning(argument),
}


def handler(event: Any, context: Any) -> Any:
    """Do one step after the other."""
    answer = None
    for verb, argument in event.get("do", []) if isinstance(event, dict) else [["return", event]]:
        answer = STEPS[verb](argument, context)
    return answer
