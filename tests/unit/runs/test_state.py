"""Where a run stands, read from its log, its lease and its row."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.context.run_ref import RunRef
from dayfly.errors import Superseded, Unsettled
from dayfly.log.batch import Emitted, number
from dayfly.protocol.events import AgentThinking, AnyPayload, ApprovalRequested
from dayfly.runs.lease import first_lease
from dayfly.runs.state import (
    AwaitingApproval,
    AwaitingEngine,
    Ended,
    Held,
    Queued,
    RunState,
    RunStatus,
    read_state,
    read_state_by_lease,
    state_of,
    status_of,
)
from dayfly.store import keys
from dayfly.store.rows import LeaseRow, LeaseState, LogRow, Outcome, RunRow
from dayfly.store.table import Put
from tests.fakes.agents import asking, silent
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World

FIRST_SEQ = 7
RUN = RunRow(
    ref=RunRef(user_id="u-1", tenant_id="o-1", thread_id="t-1", run_id="r-1"),
    request_id="q",
    agent_name="assistant",
    text="Hi",
    turn=1,
    admitted=5,
    attempt=2,
    first_seq=FIRST_SEQ,
)
THINKING = AgentThinking(reasoning="…", step_number=1)
ASKED = ApprovalRequested(tool_name="look", tool_call_id="c-1", parameters={}, expires_at="2026-01-01T00:00:00.000Z")


def tail(*payloads: AnyPayload, last: int = FIRST_SEQ, outcome: Outcome | None = None) -> LogRow:
    """The last batch of the run's log, with these events, of which the last has the seq `last`."""
    items = tuple(Emitted(payload, None, "2026-01-01T00:00:00.000Z") for payload in payloads or (THINKING,))
    batch = number(items, first=last - len(items) + 1, run_id="r-1", thread_id="t-1", agent_name="assistant")
    return LogRow(
        user_id="u-1",
        run_id="r-1",
        first=batch.first,
        last=batch.last,
        events=tuple(event.encode() for event in batch.events),
        nonce="n",
        ordinal=0,
        invocation_id="i-1",
        at=9,
        outcome=outcome,
    )


def lease(state: LeaseState) -> LeaseRow:
    return replace(first_lease(RUN, now=100), state=state)


@pytest.mark.parametrize(
    ("state", "last", "expected"),
    [
        (None, FIRST_SEQ - 1, Queued),
        (None, FIRST_SEQ, Queued),
        (LeaseState.WAITING, FIRST_SEQ - 1, AwaitingEngine),
        (LeaseState.WAITING, FIRST_SEQ, Held),
        (LeaseState.WAITING, FIRST_SEQ + 1, Held),
        (LeaseState.HELD, FIRST_SEQ - 1, Held),
        (LeaseState.HELD, FIRST_SEQ, Held),
        (LeaseState.APPROVAL, FIRST_SEQ - 1, AwaitingApproval),
        (LeaseState.APPROVAL, FIRST_SEQ, AwaitingApproval),
    ],
)
def test_without_an_end_the_lease_decides(state: LeaseState | None, last: int, expected: type[RunState]) -> None:
    """No lease: it waits in its thread. A waiting lease: its engine is awaited until the log has come to the seq at
    which that writes first. The state holds the rows that it was read from."""
    row, at = (None if state is None else lease(state)), tail(last=last)
    found = state_of(RUN, row, at)
    assert type(found) is expected
    assert (found.run, found.lease, found.tail) == (RUN, row, at)


@pytest.mark.parametrize("last", [FIRST_SEQ - 1, FIRST_SEQ])
@pytest.mark.parametrize("state", [None, *LeaseState])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_end_in_the_log_decides(outcome: Outcome, state: LeaseState | None, last: int) -> None:
    """Whatever the lease says, which may have been read before the end or be gone after it."""
    row, at = (None if state is None else lease(state)), tail(last=last, outcome=outcome)
    assert state_of(RUN, row, at) == Ended(RUN, at, outcome, row)


def test_an_ended_lease_without_an_end_in_the_log_is_out_of_date() -> None:
    """The two were written in one transaction, so the log was read before it: whoever looks has to look again."""
    with pytest.raises(Superseded):
        state_of(RUN, lease(LeaseState.ENDED), tail())


async def test_the_state_of_a_run_over_its_life(world: World) -> None:
    """Read by its row, a run is queued, waits for its engine, is held, waits for its user, and has ended; read by its
    lease it is the same, from when it has one until its end was posted."""
    first = await world.admitted(agent="echo")
    run_id = await world.queued(first, agent="assistant")
    world.agents.scripts["assistant"] = asking("c-1")
    key = keys.lease_key("u-alice", run_id)

    async def both() -> tuple[RunState | None, RunState | None]:
        return await read_state(world.table, world.run(run_id)), await read_state_by_lease(world.table, key)

    state, by_lease = await both()
    assert (type(state), by_lease) == (Queued, None)
    await world.engine(first)
    state, by_lease = await both()
    assert type(state) is AwaitingEngine
    assert state == by_lease
    world.table.plan = lambda call: 0.1 if call.method == "write" else None
    engine = world.starts(world.invoker.calls[-1])
    while type(state) is AwaitingEngine:
        await asyncio.sleep(0.01)
        state, by_lease = await both()
    assert type(state) is Held
    await engine
    world.table.plan = lambda call: None
    state, by_lease = await both()
    assert type(state) is AwaitingApproval
    assert state == by_lease
    world.sockets.delays["a1"] = 3600
    await world.ask("cancel", run_id=run_id, connection="a2")
    state, by_lease = await both()
    assert isinstance(state, Ended)
    assert (state.outcome, state.lease) == (Outcome.CANCELLED, None)
    assert isinstance(by_lease, Ended)
    assert by_lease.lease is not None


async def test_an_ended_run_is_known_by_its_log_alone(world: World) -> None:
    """Its lease is not read; that of any other run is."""
    call = await world.admitted(agent="echo")
    world.table.calls.clear()
    assert isinstance(await read_state(world.table, world.run(call.run_id)), AwaitingEngine)
    assert [one.method for one in world.table.calls] == ["query", "get"]
    await world.engine(call)
    world.table.calls.clear()
    assert isinstance(await read_state(world.table, world.run(call.run_id)), Ended)
    assert [one.method for one in world.table.calls] == ["query"]


async def test_there_is_nothing_to_look_after_where_a_row_is_gone(world: World) -> None:
    """A deletion takes log, lease and run, and may have got so far."""
    call = await world.killed(silent)
    run, (row,) = world.run(call.run_id), world.leases()
    assert isinstance(await read_state_by_lease(world.table, row.key), Held)
    rows = dict(world.memory.rows)
    del world.memory._rows[run.key]
    assert await read_state_by_lease(world.table, row.key) is None
    world.memory._rows[run.key] = run
    for key, found in rows.items():
        if isinstance(found, LogRow):
            del world.memory._rows[key]
    assert await read_state_by_lease(world.table, row.key) is None
    assert await read_state(world.table, run) is None
    del world.memory._rows[row.key]
    assert await read_state_by_lease(world.table, row.key) is None


async def test_what_cannot_be_read_is_told(world: World) -> None:
    """No state is guessed: each read that is not answered is raised."""
    call = await world.admitted()
    run, (row,) = world.run(call.run_id), world.leases()
    for place in range(2):
        world.table.fail_once(place, Fault.REFUSED)
        with pytest.raises(Unsettled):
            await read_state(world.table, run)
    for place in range(3):
        world.table.fail_once(place, Fault.REFUSED)
        with pytest.raises(Unsettled):
            await read_state_by_lease(world.table, row.key)


async def test_a_lease_that_ended_before_the_log_was_read_is_an_end(world: World) -> None:
    """The lease is read first and the log after it, so an end in the lease is one in the log."""
    call = await world.admitted(agent="echo")
    (row,) = world.leases()
    await world.engine(call)
    await world.memory.write(Put(replace(row, state=LeaseState.ENDED)))
    assert isinstance(await read_state_by_lease(world.table, row.key), Ended)


@pytest.mark.parametrize("queued", [True, False])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_is_the_status(outcome: Outcome, *, queued: bool) -> None:
    """An ended run's status is its outcome, wherever the thread still names it."""
    assert status_of(tail(outcome=outcome), queued=queued) == outcome.value


@pytest.mark.parametrize("last", [None, tail(), tail(ASKED, THINKING)])
def test_a_run_without_an_outcome_is_queued_or_running(last: LogRow | None) -> None:
    """Without a terminal event the queue decides; so it does for a run whose log is not there."""
    assert status_of(last, queued=True) is RunStatus.QUEUED
    assert status_of(last, queued=False) is RunStatus.RUNNING


@pytest.mark.parametrize("last", [tail(ASKED), tail(THINKING, ASKED)])
def test_a_run_waits_while_a_question_is_its_last_event(last: LogRow) -> None:
    """What comes after the question, an attempt at the latest, ends the waiting."""
    assert status_of(last, queued=False) is RunStatus.WAITING
