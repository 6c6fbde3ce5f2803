"""The neutral form of a conversation: what any model library can be given and any reader shown."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from pydantic import Base64Bytes, TypeAdapter

from dayfly.protocol.events import Finish


class ToolOutcome(StrEnum):
    """How a tool call ended. `RETRY`: the tool asked the model to correct the call. `UNANSWERED`: the run ended before
    the call did, so the next model request is told so."""

    OK = "ok"
    ERROR = "error"
    RETRY = "retry"
    DENIED = "denied"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class UserSaid:
    """The user's text."""

    text: str
    kind: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model asked for. `arguments` is the JSON text of an object."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What a provider wants back with a response and nobody else can read: signed or encrypted reasoning, signatures of
    tool calls, its own ids. It is sent to this provider again and to no other, and never to a client.

    Attributes:
        provider: Who gave it: the provider's name, and its address where a name has several.
        data: Opaque text, as the provider's adapter wrote it.
    """

    provider: str
    data: str


@dataclass(frozen=True, slots=True)
class AssistantSaid:
    """One whole model response: its text, the tools it asked for, how it ended, and what its provider wants back."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = Finish.COMPLETE
    state: ProviderState | None = None
    kind: Literal["assistant"] = "assistant"


_MOST_BYTES: Final = 10**15
_FILE_NAME: Final = re.compile(r"[^\x00-\x1f/\\\x7f]{1,128}")
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-zA-Z0-9.+_-]{1,100}")
_FILE_URL: Final = re.compile(r"(?:https?|s3)://[^\s<>\"\\]+")


@dataclass(frozen=True, slots=True)
class ToolFile:
    """An image or another file that belongs to a tool's result. At least one of `data` and `url` is given.

    Attributes:
        name: For people and the model, such as `chart.png`: up to 128 characters, no path.
        media_type: Such as `image/png`.
        data: Its bytes, for the model to look at: kept with the run, never sent to a client.
        url: Where clients find it (`https:`, `http:` or `s3:`), if the tool has stored it.
        size: Its bytes, counted; by default those of `data`. 0 where nobody knows.
    """

    name: str
    media_type: str
    data: Base64Bytes = b""
    url: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        if self.data and not self.size:
            object.__setattr__(self, "size", len(self.data))

    def check(self) -> None:
        """Raises `TypeError` where an attribute is not as it says above."""
        texts = (self.name, self.media_type, self.url)
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.data, bytes):
            raise TypeError("a ToolFile has texts, and bytes as its data")
        if not _FILE_NAME.fullmatch(self.name) or self.name in {".", ".."}:
            raise TypeError(f"a ToolFile has a name of 1 to 128 characters without a path, not {self.name!r:.200}")
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise TypeError(f"a ToolFile has a media type such as image/png, not {self.media_type!r:.200}")
        if self.url and not _FILE_URL.fullmatch(self.url):
            raise TypeError(f"a ToolFile has a URL with https, http or s3, not {self.url!r:.200}")
        if not self.data and not self.url:
            raise TypeError(f"the ToolFile {self.name} has neither data nor a URL")
        if not isinstance(self.size, int) or not 0 <= self.size <= _MOST_BYTES:
            raise TypeError(f"the ToolFile {self.name} has a size in bytes, not {self.size!r:.200}")

    def without_data(self) -> "ToolFile":
        """What stays of it when its run has ended."""
        return replace(self, data=b"")


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool's whole result, as the model is given it."""

    call_id: str
    name: str
    content: str
    outcome: ToolOutcome = ToolOutcome.OK
    files: tuple[ToolFile, ...] = ()
    kind: Literal["tool"] = "tool"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user decided on a tool call that needs approval; no answer in time counts as a denial. Not a message:
    the tool's result tells the model of it."""

    call_id: str
    approved: bool
    reason: str = ""
    kind: Literal["decision"] = "decision"


@dataclass(frozen=True, slots=True)
class Answer:
    """A run's answer, where no response of the agent has just this text. Not a message: history makes one of it."""

    text: str
    finish: Finish = Finish.COMPLETE
    kind: Literal["answer"] = "answer"


Message = UserSaid | AssistantSaid | ToolAnswered


@dataclass(frozen=True, slots=True)
class TokenCount:
    """What a provider counted. The cached ones are part of `input`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: "TokenCount") -> "TokenCount":
        return TokenCount(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


NOTHING_COUNTED: Final = TokenCount()


_DECISION: Final[TypeAdapter[Decision]] = TypeAdapter(Decision)


def decision_to_json(decision: Decision) -> str:
    """The decision as JSON."""
    return _DECISION.dump_json(decision).decode()


def decisions_in(answers: tuple[str, ...]) -> tuple[Decision, ...]:
    """Reads `decision_to_json`'s form. Raises `ValueError` on anything else."""
    return tuple(_DECISION.validate_json(answer) for answer in answers)
