"""The frozen context of one run attempt."""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from dayfly.context.claims import NO_CLAIMS, Claims
from dayfly.context.run_ref import OfRun, RunRef
from dayfly.errors import InvalidContext

MAX_DEPTH: Final = 10
"""How deep sub-agents may nest below the run's own agent."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLACEHOLDERS: Final = frozenset(
    {
        "none", "null", "nil", "undefined", "nan", "default", "placeholder", "temp", "tmp", "test", "todo", "unknown",
        "anonymous", "user", "user_id", "thread_id", "run_id", "id", "string", "example", "changeme", "xxx",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UserExecutionContext(OfRun):
    """Whose run this is, which attempt, and until when.

    `user_id` and `tenant_id` come from the authorizer and from nowhere else. `request_id` is the client's own id of the
    `run` frame, `invocation_id` that of the Lambda invocation. `first_seq` is the seq at which this attempt's engine
    writes first. `deadline` is a reading of the monotonic clock in seconds, after which nothing may run. `claims` are
    those of the user's token that agents may know; they say nothing of whose run it is.

    Raises `InvalidContext` for an id that is empty, over 64 characters, of other characters than `A-Za-z0-9_-`, or a
    placeholder; for an attempt or `first_seq` out of range; for sub-agents nested deeper than `MAX_DEPTH`.
    """

    ref: RunRef
    request_id: str
    invocation_id: str
    agent_name: str
    attempt: int
    first_seq: int
    deadline: float
    depth: int = 0
    claims: Claims = field(default=NO_CLAIMS, repr=False, hash=False)

    def __post_init__(self) -> None:
        for name in ("user_id", "tenant_id", "thread_id", "run_id", "request_id", "invocation_id", "agent_name"):
            _require_id(name, getattr(self, name), names_a_person_or_thing=name not in {"request_id", "agent_name"})
        if self.attempt < 1:
            raise InvalidContext(f"attempt counts from 1, not {self.attempt}")
        if self.first_seq < 2:
            raise InvalidContext(f"first_seq is at least 2 (seq 1 is the user's message), not {self.first_seq}")
        if not 0 <= self.depth <= MAX_DEPTH:
            raise InvalidContext(f"sub-agents nest at most {MAX_DEPTH} deep")

    def child(self, agent_name: str) -> "UserExecutionContext":
        """The context of a sub-agent: the same user, run and deadline, one level deeper. Nothing here calls it yet."""
        return replace(self, agent_name=agent_name, depth=self.depth + 1)


def _require_id(field: str, value: object, *, names_a_person_or_thing: bool) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidContext(f"{field} is empty")
    if not _ID.fullmatch(value):
        raise InvalidContext(f"{field} is not 1 to 64 characters of A-Z, a-z, 0-9, _ and -")
    # A client may call its own request "test"; a user, thread or run of that name is a missing value in disguise.
    if names_a_person_or_thing and value.lower() in _PLACEHOLDERS:
        raise InvalidContext(f"{field} is the placeholder {value!r}")
