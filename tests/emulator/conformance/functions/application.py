"""The application of the facts about Lambda, as its Invoke API shows it."""

from __future__ import annotations

import json
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from tests.emulator.conformance.target import Target
from tests.live.kit.control import order

Json = Any
"""What `json.loads` gives."""

Step = tuple[str, Json]
"""A verb of code/script.py and its argument."""


@dataclass(frozen=True)
class Answer:
    """What Invoke answered: `error` is FunctionError, `log` the decoded LogResult."""

    status: int
    value: Json
    error: str | None
    version: str | None
    request_id: str
    log: str


class Application:
    """Invokes the functions of template.yaml; their names are given without `conformance-`."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @property
    def patience_s(self) -> float:
        """How long an asynchronous invocation may take: AWS waits for minutes between attempts."""
        return 20.0 if self.target.local else 600.0

    @cached_property
    def client(self) -> Any:
        """A boto3 client of Lambda."""
        return self.target.functions()

    def run(self, function: str, *steps: Step, tail: bool = False, **options: Any) -> Answer:
        """Invoke with a script and wait."""
        return self.invoke(function, {"do": steps}, tail=tail, **options)

    def invoke(self, function: str, event: Json, *, tail: bool = False, **options: Any) -> Answer:
        """Invoke with an event and wait. `options` are further parameters of the API."""
        said = self.client.invoke(
            FunctionName=f"conformance-{function}",
            Payload=json.dumps(event).encode(),
            LogType="Tail" if tail else "None",
            **options,
        )
        payload = said["Payload"].read()
        return Answer(
            status=said["StatusCode"],
            value=json.loads(payload) if payload else None,
            error=said.get("FunctionError"),
            version=said.get("ExecutedVersion"),
            request_id=said["ResponseMetadata"]["RequestId"],
            log=b64decode(said.get("LogResult", "")).decode(),
        )

    def together(self, calls: Iterable[Callable[[], Answer]]) -> list[Answer]:
        """Make these calls at the same time; the answers in their order."""
        with ThreadPoolExecutor(16) as threads:
            return [each.result() for each in [threads.submit(call) for call in calls]]

    def send(self, function: str, event: dict[str, Json], **options: Any) -> str:
        """Invoke asynchronously; returns the request id."""
        said = self.client.invoke(
            FunctionName=f"conformance-{function}", InvocationType="Event", Payload=json.dumps(event), **options
        )
        assert said["StatusCode"] == 202
        request_id: str = said["ResponseMetadata"]["RequestId"]
        return request_id

    def store(self, event: dict[str, Json]) -> Json:
        """Ask the function that reaches the table and the queues."""
        said = self.invoke("store", event)
        assert said.error is None, said.value
        return said.value

    def notes(self, key: str, count: int) -> list[Json]:
        """The notes under a key, once there are so many."""
        return self._awaited(lambda: self.store({"notes": key}), lambda found: len(found) >= count)

    def record(self, queue: Literal["FAILURES", "SUCCESSES"], key: str) -> Json:
        """The record of the event of a key, once it is in the queue. Others are dropped."""
        return self._message(queue, lambda message: message["body"]["requestPayload"].get("key") == key)["body"]

    def dead_letter(self, key: str) -> Json:
        """The dead letter about the event of a key: `body` and `attributes`."""
        return self._message("DEAD_LETTERS", lambda message: message["body"].get("key") == key)

    def _message(self, queue: str, fits: Callable[[Json], bool]) -> Json:
        return self._awaited(lambda: [each for each in self.store({"receive": queue}) if fits(each)], bool)[0]

    def _awaited(self, look: Callable[[], list[Json]], enough: Callable[[list[Json]], bool]) -> list[Json]:
        until = time.monotonic() + self.patience_s
        while not enough(found := look()):
            assert time.monotonic() < until, found
            time.sleep(0.05)
        return found

    @contextmanager
    def limits(self, **limits: float) -> Iterator[None]:
        """Shorten limits of an emulator for a block."""
        order(self.target.root, "limits", {"limits": limits})
        try:
            yield
        finally:
            order(self.target.root, "limits", method="DELETE")

    def fault(self, kind: str, **fields: Json) -> None:
        """Let something go wrong in an emulator; `function` is the short name."""
        if "function" in fields:
            fields["function"] = f"conformance-{fields['function']}"
        order(self.target.root, "faults", {"kind": kind, **fields})


def fresh() -> str:
    """A key that no other test has used."""
    return str(uuid.uuid4())


def client_context(value: Json) -> str:
    """As the API takes it."""
    return b64encode(json.dumps(value).encode()).decode()
