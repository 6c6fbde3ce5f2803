"""A chat that tells everybody everything, as somebody may have written it: `broadcast/`, run as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kit.client import opened, refused
from tests.live.kit.control import Control
from tests.live.kit.emulator import EmulatorProcess, running

TEMPLATE = Path(__file__).parent / "broadcast" / "template.yaml"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    """The application, whose schedule does not come round in the time of these tests."""
    with running(TEMPLATE, "--schedule-every", "3600") as started:
        yield started


async def test_everybody_gets_what_is_said(emulator: EmulatorProcess) -> None:
    """A message is posted to every socket in the table, the sender's too."""
    async with (
        opened(emulator.stage("prod", name="ann")) as ann,
        opened(emulator.stage("prod", name="bob")) as bob,
        opened(emulator.stage("prod", name="eve")) as eve,
    ):
        await ann.send("sendmessage", data="hello")
        for each in (ann, bob, eve):
            assert await each.receive() == {"from": "ann", "text": "hello"}
        await bob.send("sendmessage", data="grüß dich ✓")
        for each in (ann, bob, eve):
            assert (await each.receive())["text"] == "grüß dich ✓"


async def test_who_has_no_name_is_refused(emulator: EmulatorProcess) -> None:
    """The status and body that `$connect` returns are what the client is told."""
    refusal = await refused(emulator.stage("prod"))
    assert (refusal.status, refusal.body) == (400, b"Who are you?")


async def test_who_leaves_is_forgotten(emulator: EmulatorProcess) -> None:
    """`$disconnect` takes a closed socket and a broken one out of the table."""
    async with opened(emulator.stage("prod", name="ann")) as ann:
        async with (
            opened(emulator.stage("prod", name="closing")),
            opened(emulator.stage("prod", name="dying")) as dying,
        ):
            assert (await ann.ask("who"))["names"] == ["ann", "closing", "dying"]
            dying.cut()
        await ann.ask_until(lambda answer: answer["names"] == ["ann"], "who")


async def test_the_dead_are_found_by_410(emulator: EmulatorProcess) -> None:
    """Where `$disconnect` was lost, the next post raises GoneException's status and the application tidies up."""
    async with opened(emulator.stage("prod", name="ann")) as ann:
        async with opened(emulator.stage("prod", name="dying")) as dying:
            await Control(emulator.url).inject("disconnect_lost")
            dying.cut()
        assert (await ann.ask("who"))["names"] == ["ann", "dying"]
        assert (await ann.ask("sendmessage", data="anybody?"))["text"] == "anybody?"
        await ann.ask_until(lambda answer: answer["names"] == ["ann"], "who")


async def test_a_function_invokes_itself_asynchronously(emulator: EmulatorProcess) -> None:
    """An announcement is posted by an invocation of type Event of the same function."""
    async with opened(emulator.stage("prod", name="ann")) as ann, opened(emulator.stage("prod", name="bob")) as bob:
        await ann.send("announce", data="dinner")
        for each in (ann, bob):
            assert await each.receive() == {"from": "ann", "text": "dinner", "announcement": True}


async def test_a_failed_event_ends_in_the_queue(emulator: EmulatorProcess) -> None:
    """What fails asynchronously goes to the queue of the template, which another function reads."""
    async with opened(emulator.stage("prod", name="ann")) as ann:
        await ann.send("announce", data="")
        answer = await ann.ask_until(lambda answer: bool(answer["failed"]), "who")
        assert answer["failed"] == ["Nothing to announce"]


async def test_no_route_takes_what_is_unknown(emulator: EmulatorProcess) -> None:
    """The template has no `$default`: such a message is answered with the Forbidden frame, and reaches nobody."""
    async with opened(emulator.stage("prod", name="ann")) as ann, opened(emulator.stage("prod", name="bob")) as bob:
        assert (await ann.ask("dance"))["message"] == "Forbidden"
        await ann.send_raw("no json")
        assert (await ann.receive())["message"] == "Forbidden"
        assert await bob.silent()


async def test_the_schedule_sweeps() -> None:
    """On its schedule a function, which finds the API by its address on AWS, takes out who is gone."""
    with running(TEMPLATE, "--schedule-every", "1", "--fault", '{"kind": "disconnect_lost"}') as emulator:
        async with opened(emulator.stage("prod", name="dying")) as dying:
            dying.cut()
        async with opened(emulator.stage("prod", name="ann")) as ann:
            await ann.ask_until(lambda answer: answer["names"] == ["ann"], "who")
        assert any("gone: " in line for line in emulator.lines)
        assert not any("Traceback" in line for line in emulator.lines)
