"""What the model is told in the place of a result where the user has not allowed a call."""

from typing import Final

from dayfly.text import sanitize

_DENIED: Final = "The user did not approve this tool call."
_REASON: Final = " Reason: "


def denial(reason: str) -> str:
    """The content of a denied call's result, with the reason if there is one."""
    reason = sanitize(reason).strip()
    return f"{_DENIED}{_REASON}{reason}" if reason else _DENIED


def reason_of(content: str) -> str:
    """The reason in a denied call's result; empty where none was given."""
    return content.removeprefix(_DENIED).removeprefix(_REASON)
