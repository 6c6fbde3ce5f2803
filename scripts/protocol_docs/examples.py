"""One real object for every frame, made and so checked by the models."""

from typing import Final

from dayfly.errors import Busy, EngineLost
from dayfly.protocol import events, frames, replies, signals
from dayfly.publisher.timestamps import rfc3339

THREAD: Final = "t-01kamrjz7gq4v9w2m6c8d3e5fh"
RUN: Final = "r-01kamrjz7gx1b7n5t2k4p9s8ra"
CALL: Final = "call_1"
AGENT: Final = "assistant"
_BEGAN_MS: Final = 1_795_341_600_000

CLIENT_FRAMES: Final[tuple[frames.Frame, ...]] = (
    frames.Run(action="run", id="m-1", text="What is 17 * 23?"),
    frames.Cancel(action="cancel", id="c-1", run_id=RUN),
    frames.Attach(action="attach", id="a-1", thread_id=THREAD, after={RUN: 4}),
    frames.Detach(action="detach", id="d-1", thread_id=THREAD),
    frames.Approve(action="approve", id="p-1", run_id=RUN, tool_call_id=CALL, approved=False, reason="Not now."),
    frames.Threads(action="threads", id="l-1"),
    frames.History(action="history", id="h-1", thread_id=THREAD),
    frames.Rename(action="rename", id="n-1", thread_id=THREAD, title="Multiplying"),
    frames.Forget(action="forget", id="f-1", thread_id=THREAD),
    frames.Refresh(action="refresh", id="t-1", token="eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),  # noqa: S106  says nothing
    frames.Ping(action="ping", id="k-1"),
)

REPLIES: Final[tuple[replies.Reply, ...]] = (
    replies.Accepted(id="m-1", run_id=RUN, thread_id=THREAD, status="running"),
    replies.Cancelling(id="c-1", run_id=RUN),
    replies.Attached(
        id="a-1", thread_id=THREAD, runs=(replies.AttachedRun(run_id=RUN, status="completed", seq=8),), more=False
    ),
    replies.Detached(id="d-1", thread_id=THREAD),
    replies.ThreadList(
        id="l-1",
        items=(replies.ThreadItem(thread_id=THREAD, title="What is 17 * 23?", updated_at=rfc3339(_BEGAN_MS + 1_934)),),
    ),
    replies.HistoryPage(
        id="h-1",
        thread_id=THREAD,
        messages=(
            replies.HistoryMessage(role="user", text="What is 17 * 23?", run_id=RUN, at=rfc3339(_BEGAN_MS + 1_934)),
            replies.HistoryMessage(role="assistant", text="17 * 23 is 391.", run_id=RUN, at=rfc3339(_BEGAN_MS + 1_934)),
        ),
    ),
    replies.Pong(id="k-1", server_time=rfc3339(_BEGAN_MS)),
    replies.Error(id="m-2", code=Busy.code, message="The thread has a run under way.", retryable=Busy.retryable),
)

SIGNALS: Final[tuple[signals.Signal, ...]] = (
    signals.AgentHeartbeat(run_id=RUN, thread_id=THREAD, last_seq=4, phase=signals.Phase.TOOL, elapsed_ms=5_012),
    signals.ThreadChanged(
        thread=replies.ThreadItem(
            thread_id=THREAD, title="What is 17 * 23?", updated_at=rfc3339(_BEGAN_MS), active_run=RUN
        )
    ),
)

_ARGUMENTS: Final = {"expression": "17 * 23"}

_STORY: Final[tuple[tuple[int, events.AnyPayload], ...]] = (
    (0, events.UserMessage(text="What is 17 * 23?", request_id="m-1")),
    (212, events.AgentStarted(message="assistant has started.")),
    (240, events.AgentThinking(reasoning="Reading the message.", step_number=1)),
    (655, events.ToolExecuting(tool_name="calculate", tool_call_id=CALL, parameters=dict(_ARGUMENTS))),
    (
        671,
        events.ToolCompleted(tool_name="calculate", tool_call_id=CALL, status="ok", result="391", execution_time_ms=3),
    ),
    (690, events.AgentThinking(reasoning="Looking at the result of calculate.", step_number=2)),
    (1_702, events.AgentDelta(text="17 * 23 is 391.")),
    (
        1_934,
        events.AgentCompleted(
            result="17 * 23 is 391.",
            truncated=False,
            execution_time_ms=1_722,
            usage=events.Usage(requests=2, input_tokens=148, output_tokens=31),
        ),
    ),
)


def _event(seq: int, after_ms: int, payload: events.AnyPayload) -> events.Event:
    return events.Event(
        type=payload.type,
        run_id=RUN,
        thread_id=THREAD,
        seq=seq,
        timestamp=rfc3339(_BEGAN_MS + after_ms),
        agent_name=AGENT,
        payload=payload,
    )


RUN_EVENTS: Final = tuple(_event(seq, after, payload) for seq, (after, payload) in enumerate(_STORY, start=1))
"""A whole run, as a client sees it."""

_OTHER_EVENTS: Final = (
    _event(
        4,
        655,
        events.ApprovalRequested(
            tool_name="calculate",
            tool_call_id=CALL,
            parameters=dict(_ARGUMENTS),
            expires_at=rfc3339(_BEGAN_MS + 3_600_655),
        ),
    ),
    _event(8, 9_300, events.AgentResumed(attempt=2, reason="engine_lost", discard_after=6)),
    _event(
        8,
        9_300,
        events.AgentError(code=EngineLost.code, message="The engine was lost.", retryable=EngineLost.retryable),
    ),
    _event(5, 2_100, events.AgentCancelled(execution_time_ms=1_888)),
)

EVENTS: Final = tuple({event.type: event for event in (*RUN_EVENTS, *_OTHER_EVENTS)}[kind] for kind in events.EventType)
"""One event of each type."""


def encoded(frame: frames.Frame | replies.Reply | signals.Signal | events.Event) -> str:
    """The frame as it goes over the wire."""
    if isinstance(frame, frames.ClientFrame):
        return frame.model_dump_json(exclude_unset=True)
    text = frame.encode()
    return text if isinstance(text, str) else text.decode()
