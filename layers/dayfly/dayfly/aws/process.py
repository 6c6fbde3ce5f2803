"""The end of a process that must not serve another invocation."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dayfly.engine.agent_host import threads_left

STUCK_EXIT: Final = 70

_log = logging.getLogger("dayfly.aws.engine")


@contextmanager
def ends_if_stuck() -> Iterator[None]:
    """Ends the process behind the block, whether that returned or raised, if an agent's or a tool's thread still runs:
    it would go on when the next invocation thaws this process, in another user's time.

    Lambda counts the invocation as failed then, as if the block had raised.
    """
    try:
        yield
    finally:
        if left := threads_left():
            _log.error("process ended: threads still run", extra={"threads": left}, exc_info=sys.exc_info()[1])
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STUCK_EXIT)
