"""Reading a run's log back."""

import pytest

from dayfly.log.batch import Emitted
from dayfly.log.fold import LogStep, Said, Voided
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, ToolAnswered
from dayfly.log.reader import PAGE, committed_of, pages_after, steps_of, tail_of
from dayfly.log.writer import RECORD_ALONE
from dayfly.protocol.events import AgentCancelled, AgentResumed, AgentStarted, AnyPayload, ApprovalRequested
from dayfly.runs.state import RunStatus, status_of
from dayfly.store.rows import LogRow, Outcome
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, completed, item, staged
from tests.unit.log.test_batch import delta
from tests.unit.protocol.test_events import event

ASKS = ApprovalRequested(tool_name="t", tool_call_id="c", parameters={}, expires_at="2026-01-01T00:00:00.000Z")


async def seqs_after(stage: Stage, seq: int) -> list[int]:
    return [
        event.seq
        async for rows in pages_after(stage.world.table, user_id="u-alice", run_id=stage.call.run_id, seq=seq)
        for row in rows
        for event in committed_of(row).batch.events
        if event.seq > seq
    ]


async def test_replay_starts_inside_a_batch(world: World) -> None:
    """After any seq, inside a batch or between two, exactly what comes after is found."""
    stage = await staged(world)
    writer = stage.writer()
    for size in (1, 3, 2, 4):
        await writer.append(tuple(item(step) for step in range(1, size + 1)), RECORD_ALONE)
    for seq in range(13):
        assert await seqs_after(stage, seq) == list(range(seq + 1, 12))


@pytest.mark.parametrize(
    ("last", "outcome", "queued", "status"),
    [
        (None, None, True, RunStatus.QUEUED),
        (None, None, False, RunStatus.RUNNING),
        (AgentStarted(message="x"), None, True, RunStatus.QUEUED),
        (AgentStarted(message="x"), None, False, RunStatus.RUNNING),
        (ASKS, None, False, RunStatus.WAITING),
        (AgentCancelled(execution_time_ms=1), Outcome.CANCELLED, False, RunStatus.CANCELLED),
        (AgentCancelled(execution_time_ms=1), Outcome.FAILED, True, RunStatus.FAILED),
    ],
)
def test_where_a_run_stands(last: AnyPayload | None, outcome: Outcome | None, queued: bool, status: RunStatus) -> None:
    """Its outcome counts before all; else it waits for its user if that is the last that it said, though it may have
    said more; else the thread's queue tells."""
    if last is None:
        assert status_of(None, queued=queued) is status
        return
    texts = tuple(event(payload).encode() for payload in (AgentStarted(message="x"), last))
    row = LogRow(
        user_id="u",
        run_id="r-1",
        first=4,
        last=5,
        events=texts,
        nonce="n",
        ordinal=0,
        invocation_id="i",
        at=1,
        outcome=outcome,
    )
    assert status_of(row, queued=queued) is status


async def test_the_tail_decides(world: World) -> None:
    """The tail is the last batch; its outcome is the run's; a run without a log has none."""
    stage = await staged(world)
    writer = stage.writer()
    await writer.append((item(),), RECORD_ALONE)
    tail = await tail_of(world.table, user_id="u-alice", run_id=stage.call.run_id)
    assert tail is not None
    assert (tail.first, tail.outcome) == (2, None)
    await writer.append((Emitted(completed(), None, "t"),), RECORD_ALONE)
    tail = await tail_of(world.table, user_id="u-alice", run_id=stage.call.run_id)
    assert tail is not None
    assert (tail.first, tail.outcome) == (3, "completed")
    assert await tail_of(world.table, user_id="u-bob", run_id=stage.call.run_id) is None


async def test_steps_read_back_are_the_steps_written(world: World) -> None:
    """What history is folded from is the same, whether kept in mind or read from the log, over more than one page."""
    stage = await staged(world)
    writer = stage.writer()
    kept: list[LogStep] = []
    for number in range(PAGE + 10):
        said = Emitted(None, AssistantSaid(f"a{number}"), "t")
        answered = Emitted(item().payload, ToolAnswered("c", "tool", str(number)), "t")
        committed = await writer.append((said, delta("x"), delta("y"), said, item(), answered), RECORD_ALONE)
        kept.extend(committed.batch.steps)
    assert await steps_of(world.table, user_id="u-alice", run_id=stage.call.run_id) == tuple(kept)


async def test_a_resumption_voids_what_it_discards(world: World) -> None:
    """An `agent_resumed` with `discard_after` stands among the steps as what it makes void."""
    stage = await staged(world)
    resumed = AgentResumed(attempt=2, reason="engine_lost", discard_after=1)
    await stage.writer().append((delta("x"), Emitted(resumed, AssistantSaid("y"), "t")), RECORD_ALONE)
    assert await steps_of(world.table, user_id="u-alice", run_id=stage.call.run_id) == (
        Said(2, "x"),
        Voided(1),
        JournalEntry(3, AssistantSaid("y")),
    )
