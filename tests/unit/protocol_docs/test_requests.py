"""What docs/protocol.md claims about requests and replies, held against the real router."""

import re
from typing import Any

import pytest

from dayfly.errors import ErrorCode
from dayfly.log.redaction import REDACTED, redact
from dayfly.protocol import limits
from dayfly.protocol.frames import Approve, ClientFrame, IfBusy
from dayfly.store.rows import QUEUE_LENGTH
from scripts.protocol_docs import examples
from scripts.protocol_docs.catalog import CLIENT_FRAMES, INTERNAL_RETRYABLE, code_facts, name_on_wire
from scripts.protocol_docs.page import protocol_page
from tests.fakes.agents import asking
from tests.fakes.world import World

Frame = dict[str, Any]


class Backend:
    """The real router over ports in memory, and one client of it, which names its own requests."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def ask(self, frame: Frame) -> Frame:
        """Sends a frame and gives the reply to it."""
        return await self.world.send(frame)

    def events(self) -> list[tuple[str, int]]:
        """Type and seq of each event that was posted to the client, in the order of posting."""
        return [(event["type"], event["seq"]) for event in self.world.sockets.events("a1")]

    async def run(self, request: str = "m-1", **fields: str) -> Frame:
        """Asks for a run."""
        return await self.ask({"action": "run", "id": request, "text": "hello", **fields})


@pytest.fixture
def backend(world: World) -> Backend:
    """A fresh one."""
    return Backend(world)


@pytest.mark.parametrize("frame", CLIENT_FRAMES, ids=lambda frame: frame.__name__)
async def test_action_is_answered_as_documented(backend: Backend, frame: type[ClientFrame]) -> None:
    """Each action gets the reply that the page names, or `not_supported` where the page says "not yet"."""
    backend.world.agents.scripts["assistant"] = asking(examples.CALL)
    run = await backend.run("m-0")
    if frame is Approve:
        await backend.world.serve()
    sent = frame.example
    names = {key: run[key] for key in ("run_id", "thread_id") if key in sent}
    after = {"after": {run["run_id"]: 0}} if "after" in sent else {}
    reply = await backend.ask({**sent, **names, **after})
    if frame.reply is not None:
        assert reply["type"] == name_on_wire(frame.reply)
    else:
        assert (reply["type"], reply["code"]) == ("error", ErrorCode.NOT_SUPPORTED)


@pytest.mark.parametrize("if_busy", list(IfBusy))
async def test_busy_thread_is_answered_as_documented(backend: Backend, if_busy: IfBusy) -> None:
    """On a busy thread `reject` is answered with `busy`, the others with `queued` and a position: the last one, or
    before all that wait."""
    thread = (await backend.run())["thread_id"]
    assert (await backend.run("m-2", thread_id=thread))["position"] == 1
    reply = await backend.run("m-3", thread_id=thread, if_busy=if_busy)
    if if_busy is IfBusy.REJECT:
        assert reply["code"] == ErrorCode.BUSY
    else:
        assert (reply["type"], reply["status"]) == ("accepted", "queued")
        assert reply["position"] == (1 if if_busy is IfBusy.INTERRUPT else 2)


async def test_a_full_queue_is_refused(backend: Backend) -> None:
    """As many runs wait as documented; one more is `queue_full`, which its table calls retryable."""
    thread = (await backend.run())["thread_id"]
    for place in range(1, QUEUE_LENGTH + 1):
        assert (await backend.run(f"w-{place}", thread_id=thread))["position"] == place
    reply = await backend.run("m-2", thread_id=thread)
    assert (reply["code"], reply["retryable"]) == (ErrorCode.QUEUE_FULL, True)
    sentence = "Up to {} runs wait in a thread; one more is refused with `queue_full`"
    assert sentence.format(QUEUE_LENGTH) in " ".join(protocol_page().split())


@pytest.mark.parametrize("if_busy", list(IfBusy))
async def test_idle_thread_takes_any_if_busy(backend: Backend, if_busy: IfBusy) -> None:
    """On an idle thread `if_busy` makes no difference."""
    assert (await backend.run(if_busy=if_busy))["type"] == "accepted"


async def test_refusal_leaves_the_id_unused(backend: Backend) -> None:
    """A `run` refused with `busy` is accepted when the same frame is sent again on the idle thread."""
    first = await backend.run()
    again = {"thread_id": first["thread_id"], "if_busy": "reject"}
    assert (await backend.run("m-2", **again))["code"] == ErrorCode.BUSY
    await backend.ask({"action": "cancel", "id": "c-1", "run_id": first["run_id"]})
    reply = await backend.run("m-2", **again)
    assert (reply["type"], reply["duplicate"]) == ("accepted", False)


async def test_same_run_again_is_the_same_run(backend: Backend) -> None:
    """The same `id` and content answers with the first run; other content with `id_reused`."""
    first, again = await backend.run(), await backend.run()
    assert again == {**first, "duplicate": True}
    assert (await backend.run(agent="other"))["code"] == ErrorCode.ID_REUSED


async def test_cancel_of_a_request_to_come(backend: Backend) -> None:
    """`cancel` by `request_id` of a `run` not admitted names no run, and that `run` answers `cancelled` every time."""
    reply = await backend.ask({"action": "cancel", "id": "c-1", "request_id": "m-1"})
    assert "run_id" not in reply
    assert [(await backend.run())["code"] for _ in range(2)] == [ErrorCode.CANCELLED] * 2


@pytest.mark.parametrize("names", [{}, {"run_id": "r-1", "request_id": "m-1"}])
async def test_cancel_names_exactly_one(backend: Backend, names: dict[str, str]) -> None:
    """`cancel` with neither or both of its names is `invalid_message`."""
    assert (await backend.ask({"action": "cancel", "id": "c-1", **names}))["code"] == ErrorCode.INVALID_MESSAGE


async def test_cancel_of_an_ended_run_shows_its_end_again(backend: Backend) -> None:
    """Cancelling a run that has ended is answered with `cancelling`, and its terminal event comes again."""
    run = (await backend.run())["run_id"]
    for request in ("c-1", "c-2"):
        assert (await backend.ask({"action": "cancel", "id": request, "run_id": run}))["type"] == "cancelling"
    assert [seq for kind, seq in backend.events() if kind == "agent_cancelled"] == [2, 2]


async def test_run_ended_before_an_engine_began(backend: Backend) -> None:
    """A run that ends before an engine began has its message and its end, and no `agent_started`."""
    run = (await backend.run())["run_id"]
    await backend.ask({"action": "cancel", "id": "c-1", "run_id": run})
    assert backend.events() == [("user_message", 1), ("agent_cancelled", 2)]


async def test_attach_without_cursors_replays_the_run_under_way(backend: Backend) -> None:
    """Without `after` an ended run is not replayed, the one under way is, from its start."""
    first = await backend.run()
    await backend.ask({"action": "cancel", "id": "c-1", "run_id": first["run_id"]})
    attach = {"action": "attach", "thread_id": first["thread_id"]}
    assert (await backend.ask({**attach, "id": "a-1"}))["runs"] == []
    second = await backend.run("m-2", thread_id=first["thread_id"])
    reply = await backend.ask({**attach, "id": "a-2"})
    assert reply["runs"] == [{"run_id": second["run_id"], "status": "running", "seq": 1}]


async def test_attach_replays_from_the_oldest_named_run_on(backend: Backend) -> None:
    """Runs later than the one that `after` names are replayed without being named."""
    first = await backend.run()
    await backend.ask({"action": "cancel", "id": "c-1", "run_id": first["run_id"]})
    await backend.run("m-2", thread_id=first["thread_id"])
    seen = len(backend.events())
    attach = {"action": "attach", "id": "a-1", "thread_id": first["thread_id"], "after": {first["run_id"]: 1}}
    assert [run["seq"] for run in (await backend.ask(attach))["runs"]] == [2, 1]
    assert backend.events()[seen:] == [("agent_cancelled", 2), ("user_message", 1)]


async def test_cursor_of_another_thread_is_refused(backend: Backend) -> None:
    """A run in `after` that is not in the thread is `run_not_found`."""
    first, other = await backend.run(), await backend.run("m-2")
    attach = {"action": "attach", "id": "a-1", "thread_id": first["thread_id"], "after": {other["run_id"]: 1}}
    assert (await backend.ask(attach))["code"] == ErrorCode.RUN_NOT_FOUND


def test_redacted_keys_are_those_named() -> None:
    """Every word that the page names makes a key's value redacted; the words of other keys do not."""
    (sentence,) = re.findall(r"values of keys that hold\s(.*?)\sare `\[redacted\]`", protocol_page(), re.DOTALL)
    words = re.findall(r"`(\w+)`", sentence)
    assert redact({f"my_{word}": "x" for word in words}) == {f"my_{word}": REDACTED for word in words}
    assert redact({"expression": "x"}) == {"expression": "x"}


async def test_text_limit_counts_the_json_string(backend: Backend) -> None:
    """The largest text is as many bytes as documented, its two quotes counted; one more is `text_too_long`."""
    largest = "ü" + "x" * (limits.TEXT_BYTES - 4)
    assert (await backend.run(text=largest))["type"] == "accepted"
    assert (await backend.run("m-2", text=largest + "x"))["code"] == ErrorCode.TEXT_TOO_LONG


async def test_optional_field_may_be_null(backend: Backend) -> None:
    """An optional field that is null counts as left out."""
    frame = {"action": "run", "id": "m-1", "text": "hello", "thread_id": None, "agent": None}
    assert (await backend.ask(frame))["type"] == "accepted"


async def test_unexpected_failure_is_internal(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected failure is told as `internal`, retryable as documented, with what to quote to the operator."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(backend.world.memory, "get_many", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        await backend.run()
    (reply,) = backend.world.sockets.received("a1")
    assert (reply["code"], reply["retryable"]) == (ErrorCode.INTERNAL, INTERNAL_RETRYABLE)
    assert reply["request_id"] == "i-router"


async def test_retryable_is_as_documented(backend: Backend) -> None:
    """Replies say `retryable` as the table does."""
    documented = {facts.code: facts.retryable for facts in code_facts()}
    thread = (await backend.run())["thread_id"]
    busy = await backend.run("m-2", thread_id=thread, if_busy="reject")
    unknown = await backend.ask({"action": "history", "id": "h-1", "thread_id": "t-nobody"})
    for reply in (busy, unknown):
        assert reply["retryable"] is documented[ErrorCode(reply["code"])]
