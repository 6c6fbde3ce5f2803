"""What a stretch of calls came to, whoever made them."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from bench.capacity import Units
from bench.recorder import Phase

READS: Final = {"GetItem": "Get", "BatchGetItem": "BatchGet", "Query": "Query"}
WRITES: Final = {"PutItem": "Put", "DeleteItem": "Delete", "TransactWriteItems": "Transact"}
POST: Final = "PostToConnection"
KINDS: Final = {**READS, **WRITES, POST: "posts", "Invoke": "invokes"}
"""By API, a column's name."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls of AWS by API, DynamoDB's request units, and the bytes of its calls' bodies: of answers to reads, and of
    writes as sent, and of frames as posted. `log_bytes` and `log_items` are the run log's."""

    calls: Counter[str]
    units: Units
    bytes_read: int
    bytes_written: int
    bytes_posted: int
    log_bytes: int
    log_items: int

    @property
    def all(self) -> int:
        """All calls."""
        return self.calls.total()

    @property
    def reads(self) -> int:
        """DynamoDB reads of any kind."""
        return sum(self.calls[api] for api in READS)

    @property
    def writes(self) -> int:
        """DynamoDB writes of any kind; a transaction is one."""
        return sum(self.calls[api] for api in WRITES)

    @property
    def posts(self) -> int:
        """Frames posted, or tried to."""
        return self.calls[POST]

    @property
    def by_kind(self) -> tuple[int, ...]:
        """Calls by API, in the order of `KINDS`. Raises `ValueError` for an API that is none of them."""
        if strange := self.calls.keys() - set(KINDS):
            raise ValueError(f"calls of no known kind: {strange}")
        return tuple(self.calls[api] for api in KINDS)

    @classmethod
    def of(cls, phase: Phase, *, function: str | None = None) -> "Cost":
        """What a phase came to; the calls of one function alone where it is named."""
        calls = [
            call for call in phase.calls if function in (None, call.function) and not call.api.startswith("(not AWS)")
        ]
        units = [spent for (who, _), spent in phase.units.items() if function in (None, who)]
        return cls(
            calls=Counter(call.api for call in calls),
            units=sum(units, Units()),
            bytes_read=sum(len(call.response) for call in calls if call.api in READS),
            bytes_written=sum(len(call.request) for call in calls if call.api in WRITES),
            bytes_posted=sum(len(call.request) for call in calls if call.api == POST),
            log_bytes=phase.log_bytes,
            log_items=phase.log_items,
        )
