"""What the table's TTL may take, and when: no store that these tests run on deletes by it, so that items themselves
are looked at, as they are written."""

import asyncio

from dayfly.aws.items import to_item
from dayfly.ports.table import Put
from dayfly.publisher.settle import settle
from tests.contract import rows
from tests.fakes.agents import asking, calculator, silent
from tests.fakes.world import World, assert_ended_once

DAY_S, SOCKETS_S = 24 * 3600, 3 * 3600
KEPT_S = {
    # A socket lives two hours: whoever watches must not be taken from the audience before.
    "LIVE#SOCKET": SOCKETS_S,
    "SOCK": SOCKETS_S,
    "CONN": SOCKETS_S,
    "LIVE#CANCEL": DAY_S,
    "REQ": DAY_S,
}
"""For each kind of row that expires, how many seconds after it was written."""


def kind_of(sk: str) -> str:
    parts = sk.split("#")
    return f"LIVE#{parts[2]}" if parts[0] == "LIVE" else parts[0]


def expiries(world: World) -> dict[str, set[int | None]]:
    """For each kind of row there is, in how many seconds TTL may take it; `None` where nothing says so."""
    now = world.clock.now_ms() // 1000
    found: dict[str, set[int | None]] = {}
    for row in world.memory.rows.values():
        item = to_item(row)
        expires = int(item["expires"]["N"]) - now if "expires" in item else None
        found.setdefault(kind_of(item["sk"]["S"]), set()).add(expires)
    return found


def as_they_should_be(world: World) -> set[str]:
    """The kinds of rows there are, each of which expires as it should, counted from now, or not at all."""
    found = expiries(world)
    assert found == {kind: {KEPT_S.get(kind)} for kind in found}
    return set(found)


def test_only_marks_expire() -> None:
    """Of all kinds of rows only those of sockets, requests and cancels have TTL's attribute; runs, leases, logs,
    threads and what was said have none, whatever state they are in."""
    expiring = {kind_of(row.key.sk) for row in rows.one_of_every_kind() if "expires" in to_item(row)}
    assert expiring == set(KEPT_S)


async def test_sockets_are_kept_three_hours(world: World) -> None:
    """Both rows of an open socket, and the one by which it watches a thread, outlast the two hours that it may live."""
    await world.connect("a2")
    call = await world.admitted()
    assert as_they_should_be(world) >= {"CONN", "SOCK", "LIVE#SOCKET", "RUN", "LEASE", "THREAD", "LOG", "QUOTA", "REQ"}
    await asyncio.sleep(3600)
    await world.ask("attach", thread_id=call.thread, connection="a1")
    assert expiries(world)["LIVE#SOCKET"] == {SOCKETS_S}, "watching anew counts from now"


async def test_a_request_is_kept_a_day(world: World) -> None:
    """So is one that was cancelled ahead of its run."""
    await world.ask("run", id="q-1", text="Hi")
    await world.ask("cancel", id="q-2", request_id="q-3")
    assert "REQ" in as_they_should_be(world)
    assert len([key for key in world.memory.rows if key.sk.startswith("REQ#")]) == 2


async def test_a_cancel_mark_is_kept_a_day(world: World) -> None:
    """An engine that is at work has a day to find its run's mark, which is longer than any lives: one that a cancel
    leaves as well as one that an interrupting message leaves."""
    for interrupts in (False, True):
        world = World()
        world.agents.scripts["assistant"] = silent
        call = await world.admitted()
        engine = world.starts(call)
        await asyncio.sleep(0.01)
        assert [lease.state for lease in world.leases()] == ["held"]
        if interrupts:
            await world.queued(call, if_busy="interrupt")
        else:
            await world.ask("cancel", run_id=call.run)
        assert as_they_should_be(world) >= {"LIVE#CANCEL", "RUN", "LEASE"}
        await engine
        assert "LIVE#CANCEL" not in expiries(world)


async def test_a_live_run_never_expires(world: World) -> None:
    """Queued, waiting for its engine, held, renewed, lost, asking its user or ended: no row of a run has a time to
    live, nor has what it leaves."""
    seen: set[str] = set()

    def look() -> None:
        found = {kind: times for kind, times in expiries(world).items() if kind not in KEPT_S}
        assert found == {kind: {None} for kind in found}
        seen.update(found)

    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    await world.queued(call)
    look()
    await world.engine(call)
    assert [lease.state for lease in world.leases()] == ["approval"]
    look()
    await world.approve(call.run, "c-1")
    look()
    await world.serve()
    assert_ended_once(world, call.run)
    lost = await world.killed(silent, after_s=21)
    assert [lease.state for lease in world.leases() if lease.run == lost.run] == ["held"]
    look()
    await asyncio.sleep(20)
    await world.sweep()
    look()
    world.agents.scripts["assistant"] = calculator
    await world.serve()
    await settle(world.memory, Put(rows.note("k")))
    await world.ask("forget", thread_id=call.thread)
    look()
    assert seen == {"THREAD", "RUN", "LOG", "LEASE", "QUOTA", "HIST", "NOTE", "FORGET"}
