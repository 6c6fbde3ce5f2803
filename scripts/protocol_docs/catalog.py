"""What version 1 consists of, read from the models, and what this version of the backend does with it.

What stands in no model stands here, and the tests hold each claim against the real router and the library's source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from pydantic import BaseModel

from dayfly import errors
from dayfly.errors import DayflyError, ErrorCode, RequestError, RunFailed
from dayfly.protocol import events, frames, limits, replies, signals
from scripts.protocol_docs.docstrings import text_of

MORE_LIMITS: Final[Mapping[tuple[type[BaseModel], str], str]] = {
    (frames.Run, "text"): f"at most {limits.TEXT_BYTES:,} bytes as a JSON string",
}
"""Limits of fields that JSON Schema cannot say."""

INTERNAL: Final = "Something unexpected went wrong on the server's side. Quote `request_id` to the operator."
INTERNAL_RETRYABLE: Final = True

CLIENT_FRAMES: Final[tuple[type[frames.Frame], ...]] = tuple(frames.FRAMES.values())
REPLIES: Final[tuple[type[replies.Reply], ...]] = get_args(replies.Reply)
PAYLOADS: Final[tuple[type[events.AnyPayload], ...]] = tuple(events.PAYLOADS.values())
SIGNALS: Final[tuple[type[signals.Signal], ...]] = get_args(signals.Signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What a client is told by one error code."""

    code: ErrorCode
    meaning: str
    retryable: bool
    answers_request: bool
    ends_run: bool


def name_on_wire(model: type[frames.ClientFrame | replies.Reply | signals.Signal]) -> str:
    """The `action` of a client's frame, or the `type` of a server's."""
    key = "action" if issubclass(model, frames.ClientFrame) else "type"
    name: str = get_args(model.model_fields[key].annotation)[0]
    return name


def code_facts() -> tuple[CodeFacts, ...]:
    """Every code in the order of the closed list. Raises `ValueError` where the error tree does not explain one."""
    explained = {facts.code: facts for facts in map(_facts_of, _client_errors())}
    explained[ErrorCode.INTERNAL] = CodeFacts(
        code=ErrorCode.INTERNAL,
        meaning=INTERNAL,
        retryable=INTERNAL_RETRYABLE,
        answers_request=True,
        ends_run=False,
    )
    if missing := set(ErrorCode) - set(explained):
        raise ValueError(f"no error class explains {sorted(missing)}")
    return tuple(explained[code] for code in ErrorCode)


def _facts_of(error: type[DayflyError]) -> CodeFacts:
    return CodeFacts(
        code=error.code,
        meaning=text_of(error),
        retryable=error.retryable,
        answers_request=issubclass(error, RequestError),
        ends_run=issubclass(error, RunFailed),
    )


def _client_errors() -> tuple[type[DayflyError], ...]:
    """The classes, bases aside, whose code reaches clients."""
    bases = (RequestError, RunFailed)
    return tuple(
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, bases) and thing not in bases
    )
