"""One frame in, one answer out."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from dayfly.errors import ErrorCode, Unsettled
from dayfly.store.table import TableRefused
from tests.fakes.agents import asking
from tests.fakes.faulty_table import Call
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World, caller

BAD: dict[str, tuple[str, str]] = {
    "not json": ("{", "invalid_json"),
    "empty": ("", "invalid_json"),
    "an array": ("[]", "invalid_message"),
    "a number": ("7", "invalid_message"),
    "no action": ('{"id": "q"}', "unknown_action"),
    "unknown action": ('{"action": "fly", "id": "q"}', "unknown_action"),
    "no id": ('{"action": "ping"}', "invalid_message"),
    "wrong type": ('{"action": "run", "id": "q", "text": 7}', "invalid_message"),
    "empty text": ('{"action": "run", "id": "q", "text": ""}', "invalid_message"),
    "control character": ('{"action": "run", "id": "q", "text": "a\\u0000"}', "invalid_message"),
    "lone surrogate": ('{"action": "run", "id": "q", "text": "a\\ud800"}', "invalid_message"),
    "surrogate as a name": ('{"action": "ping", "id": "q", "\\ud800": 1}', "invalid_message"),
    "deep nesting": ("[" * 100_000, "invalid_json"),
    "long text": (json.dumps({"action": "run", "id": "q", "text": "x" * 25_000}), "text_too_long"),
    "illegal thread": ('{"action": "attach", "id": "q", "thread_id": "a#b"}', "invalid_message"),
    "cancel of nothing": ('{"action": "cancel", "id": "q"}', "invalid_message"),
    "cancel of two": ('{"action": "cancel", "id": "q", "run_id": "r", "request_id": "q"}', "invalid_message"),
    "made-up cursor of threads": ('{"action": "threads", "id": "q", "cursor": "a b"}', "invalid_message"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_a_clear_error(world: World, name: str) -> None:
    """What is wrong with a frame is told by a code of the closed list, with the frame's id where it can be read; the
    connection goes on."""
    body, code = BAD[name]
    reply = await world.send(body)
    assert (reply["type"], reply["code"], reply["retryable"]) == ("error", code, False)
    assert ErrorCode(reply["code"])
    assert reply.get("id") == ("q" if '"id": "q"' in body else None)
    assert reply["message"]
    assert (await world.ask("ping"))["type"] == "pong"
    assert world.memory.rows == {}


async def test_ping_tells_the_time(world: World) -> None:
    """`pong` carries the server's time in RFC 3339, UTC."""
    assert await world.ask("ping", id="q") == {
        "type": "pong",
        "id": "q",
        "server_time": "2025-11-24T16:00:00.000Z",
    }


async def test_what_comes_later_is_not_supported(world: World) -> None:
    """An action whose work comes later says so."""
    reply = await world.send({"id": "q", "action": "refresh", "token": "x"})
    assert (reply["id"], reply["code"]) == ("q", "not_supported")


FOREIGN: dict[str, JsonObject] = {
    "run": {"action": "run", "text": "Hi", "thread_id": "THREAD"},
    "attach": {"action": "attach", "thread_id": "THREAD"},
    "attach after": {"action": "attach", "thread_id": "THREAD", "after": {"RUN": 1}},
    "history": {"action": "history", "thread_id": "THREAD"},
    "cancel": {"action": "cancel", "run_id": "RUN"},
    "approve": {"action": "approve", "run_id": "RUN", "tool_call_id": "c-1", "approved": True},
    "rename": {"action": "rename", "thread_id": "THREAD", "title": "Mine"},
    "forget": {"action": "forget", "thread_id": "THREAD"},
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_what_belongs_to_another_user_is_not_found(world: World, name: str) -> None:
    """Another user's thread or run gives the very bytes that an unknown one gives, and changes nothing."""
    call = await world.admitted()
    await world.engine(call)
    before = dict(world.memory.rows)

    async def answer(thread: str, run: str, connection: str) -> bytes:
        body = json.dumps({"id": "q", **FOREIGN[name]}).replace("THREAD", thread).replace("RUN", run)
        await world.router.handle(caller("u-mallory", connection), body)
        return world.sockets.frames[connection][-1]

    foreign = await answer(call.thread_id, call.run_id, "m1")
    unknown = await answer("t-01kav9ft007v7z4knf80s1ett6", "r-01kav9ft007v7z4knf80s1ett6", "m2")
    assert foreign == unknown
    assert json.loads(foreign)["code"] in {"thread_not_found", "run_not_found"}
    assert world.memory.rows == before


async def test_a_run_of_another_thread_is_not_named_by_attach(world: World) -> None:
    """`after` with a run that is not in the thread is `run_not_found`."""
    one, two = await world.admitted(), await world.admitted()
    reply = await world.ask("attach", thread_id=one.thread_id, after={two.run_id: 1})
    assert reply["code"] == "run_not_found"


async def test_an_unexpected_failure_is_bare(world: World) -> None:
    """What nobody foresaw is answered with `internal` and the invocation's id, and raised for the log."""

    def refuse(call: Call) -> float:
        raise TableRefused("secret detail")

    world.table.plan = refuse
    with pytest.raises(TableRefused):
        await world.send({"action": "threads", "id": "q"})
    assert world.sockets.received("a1") == [
        {
            "type": "error",
            "id": "q",
            "code": "internal",
            "message": "Something went wrong on our side.",
            "retryable": True,
            "request_id": "i-router",
        }
    ]


@pytest.mark.parametrize("action", ["run", "cancel", "threads", "attach", "forget"])
async def test_a_service_that_does_not_answer_is_unavailable(world: World, action: str) -> None:
    """Whatever the service said stays in the log; the client is told the same words each time, and to come again."""
    call = await world.admitted()
    fields = {"run": {"text": "Hi"}, "cancel": {"run_id": call.run_id}, "threads": {}}.get(
        action, {"thread_id": call.thread_id}
    )
    assert (await world.ask(action, connection="a2", **fields))["type"] != "error"

    def refuse(_: Call) -> float:
        raise Unsettled("arn:aws:dynamodb:eu-west-1:123456789012:table/secret")

    world.table.plan = refuse
    assert await world.ask(action, id="q-same", connection="a3", **fields) == {
        "type": "error",
        "id": "q-same",
        "code": "unavailable",
        "message": "A service did not answer in time. Send the same message again, with the same id.",
        "retryable": True,
    }


async def test_a_caller_that_left_changes_nothing(world: World) -> None:
    """A run whose sender is gone before it is answered goes on, and ends."""
    world.sockets.gone.add("a1")
    await world.router.handle(caller(), '{"action": "run", "id": "q", "text": "Hi"}')
    await world.engine(world.invoker.calls[0])
    assert world.log_types(world.invoker.calls[0].run_id)[-1] == "agent_completed"


async def test_frames_of_one_socket_in_any_order(world: World) -> None:
    """Many frames of one socket at once are all answered, each with its id."""
    sends: list[Callable[[], Awaitable[None]]] = [
        lambda n=n: world.router.handle(caller(), json.dumps({"action": "ping", "id": f"q-{n}"}))  # type: ignore[misc]
        for n in range(20)
    ]
    await asyncio.gather(*(send() for send in sends))
    assert {frame["id"] for frame in world.sockets.received("a1")} == {f"q-{n}" for n in range(20)}


async def test_a_stuck_device_holds_back_no_reply(world: World) -> None:
    """A socket of the same user that takes nothing costs the others nothing: each answer is there at once."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    await world.serve()
    waiting = await world.queued(call)
    await world.connect("stuck")
    await world.ask("attach", thread_id=call.thread_id, connection="stuck")
    world.sockets.delays["stuck"] = 3600
    for action, fields in (
        ("rename", {"thread_id": call.thread_id, "title": "Weather"}),
        ("approve", {"run_id": call.run_id, "tool_call_id": "c-1", "approved": True}),
        ("cancel", {"run_id": waiting}),
        ("cancel", {"run_id": waiting}),
        ("run", {"text": "And?", "thread_id": call.thread_id}),
    ):
        began = asyncio.get_running_loop().time()
        assert (await world.ask(action, **fields))["type"] != "error"
        replied = next(
            at
            for frame, at in zip(world.sockets.received("a1")[::-1], world.sockets.times["a1"][::-1], strict=True)
            if "id" in frame
        )
        assert replied - began < 0.1
