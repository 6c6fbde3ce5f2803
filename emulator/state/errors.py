"""What goes wrong while the state is set up."""

from __future__ import annotations


class StateFailed(Exception):
    """The state could not be set up; the message says why in one line. `code` is AWS's error code, if there is one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code
