"""One real object for every frame, made and so checked by the models. A frame and a reply carry their own; events and
signals are told here, in the order of a run."""

from typing import Final

from dayfly.errors import EngineLost
from dayfly.protocol import events, frames, replies, signals
from dayfly.text import rfc3339

THREAD: Final = replies.EXAMPLE_THREAD
RUN: Final = replies.EXAMPLE_RUN
QUEUED_RUN: Final = "r-01kamrjzxg3t5w7y9b1d3f5h7j"
APPROVAL_RUN: Final = "r-01kamrm8m0c2e4g6j8m0q2s4v6"
CALL: Final = "call-1-1"
AGENT: Final = "assistant"
_BEGAN_MS: Final = 1_795_341_600_000

AnyFrame = frames.Frame | replies.Reply | signals.Signal | events.Event
"""Whatever crosses the wire."""


def of_frame(frame: type[frames.Frame]) -> frames.Frame:
    """The frame that its model gives as an example."""
    return frame.model_validate(frame.example)


def of_reply(reply: type[replies.Reply]) -> replies.Reply:
    """The reply that its model gives as an example."""
    return reply.model_validate(reply.example)


SIGNALS: Final[tuple[signals.Signal, ...]] = (
    signals.AgentHeartbeat(run_id=RUN, thread_id=THREAD, last_seq=4, phase=signals.Phase.TOOL, elapsed_ms=5_012),
    signals.ThreadChanged(
        thread=replies.ThreadItem(
            thread_id=THREAD,
            title="What is 17 * 23?",
            updated_at=rfc3339(_BEGAN_MS + 800),
            active_run=RUN,
            queue=(QUEUED_RUN,),
            version=2,
        )
    ),
)

_ARGUMENTS: Final = {"expression": "17 * 23"}

_STORY: Final[tuple[tuple[int, events.AnyPayload], ...]] = (
    (0, events.UserMessage(text="What is 17 * 23?", request_id="m-1")),
    (212, events.AgentStarted(message="assistant has started.")),
    (240, events.AgentThinking(reasoning="Reading the conversation.", step_number=1)),
    (655, events.ToolExecuting(tool_name="calculate", tool_call_id=CALL, parameters=dict(_ARGUMENTS))),
    (
        671,
        events.ToolCompleted(tool_name="calculate", tool_call_id=CALL, status="ok", result="391", execution_time_ms=3),
    ),
    (690, events.AgentThinking(reasoning="Working with what calculate returned.", step_number=2)),
    (1_702, events.AgentDelta(text="17 * 23 = 391")),
    (
        1_934,
        events.AgentCompleted(
            result="17 * 23 = 391",
            truncated=False,
            execution_time_ms=1_722,
            usage=events.Usage(requests=2, input_tokens=148, output_tokens=31),
        ),
    ),
)


_WHICH: Final = {"text": "X17"}

_APPROVAL_STORY: Final[tuple[tuple[int, events.AnyPayload], ...]] = (
    (60_000, events.UserMessage(text="Forget the note about X17", request_id="m-3")),
    (60_190, events.AgentStarted(message="assistant has started.")),
    (60_214, events.AgentThinking(reasoning="Reading the conversation.", step_number=1)),
    (
        60_620,
        events.ApprovalRequested(
            tool_name="forget_note",
            tool_call_id=CALL,
            parameters=dict(_WHICH),
            expires_at=rfc3339(_BEGAN_MS + 60_620 + 3_600_000),
        ),
    ),
    (68_100, events.AgentResumed(attempt=2, reason="answered")),
    (68_240, events.ToolExecuting(tool_name="forget_note", tool_call_id=CALL, parameters=dict(_WHICH))),
    (
        68_271,
        events.ToolCompleted(
            tool_name="forget_note",
            tool_call_id=CALL,
            status="ok",
            result="Removed 1 note:\n- my code is X17",
            execution_time_ms=18,
        ),
    ),
    (68_290, events.AgentThinking(reasoning="Working with what forget_note returned.", step_number=2)),
    (69_010, events.AgentDelta(text="That is forgotten. Removed 1 note:\n- ")),
    (69_130, events.AgentDelta(text="my code is X17")),
    (
        69_233,
        events.AgentCompleted(
            result="That is forgotten. Removed 1 note:\n- my code is X17",
            truncated=False,
            execution_time_ms=1_041,
            usage=events.Usage(requests=2, input_tokens=171, output_tokens=28),
        ),
    ),
)
"""The ids of tool calls are the model's: two runs may have the same."""


def _event(seq: int, after_ms: int, payload: events.AnyPayload, *, run: str = RUN) -> events.Event:
    return events.Event(
        type=payload.type,
        run_id=run,
        thread_id=THREAD,
        seq=seq,
        timestamp=rfc3339(_BEGAN_MS + after_ms),
        agent_name=AGENT,
        payload=payload,
    )


RUN_EVENTS: Final = tuple(_event(seq, after, payload) for seq, (after, payload) in enumerate(_STORY, start=1))
"""A whole run, as a client sees it."""

CONVERSATION: Final[tuple[AnyFrame, ...]] = (of_frame(frames.Run), of_reply(replies.Accepted), *RUN_EVENTS)
"""What crosses the wire in it."""

APPROVAL_EVENTS: Final = tuple(
    _event(seq, after, payload, run=APPROVAL_RUN) for seq, (after, payload) in enumerate(_APPROVAL_STORY, start=1)
)
"""A run that asks its user."""

_ASKED: Final = 4
"""Events up to the question."""

APPROVAL_CONVERSATION: Final[tuple[AnyFrame, ...]] = (
    frames.Run(action="run", id="m-3", text="Forget the note about X17", thread_id=THREAD),
    replies.Accepted(id="m-3", run_id=APPROVAL_RUN, thread_id=THREAD, status="running"),
    *APPROVAL_EVENTS[:_ASKED],
    frames.Approve(action="approve", id="p-2", run_id=APPROVAL_RUN, tool_call_id=CALL, approved=True),
    replies.Approved(id="p-2", run_id=APPROVAL_RUN),
    *APPROVAL_EVENTS[_ASKED:],
)

_OTHER_EVENTS: Final = (
    APPROVAL_EVENTS[_ASKED - 1],
    _event(4, 900, events.AgentReasoning(text="The user wants a product: 17 times 23. ")),
    _event(5, 1_400, events.AgentRetrying(reason="throttled", retry=1, delay_ms=1_250, discard_after=2)),
    _event(5, 1_100, events.ToolProgress(tool_name="calculate", tool_call_id=CALL, message="3 of 10")),
    _event(8, 9_300, events.AgentResumed(attempt=2, reason="engine_lost", discard_after=5)),
    _event(
        8,
        9_300,
        events.AgentError(code=EngineLost.code, message="The engine was lost.", retryable=EngineLost.retryable),
    ),
    _event(5, 2_100, events.AgentCancelled(execution_time_ms=1_888)),
)

_BY_TYPE: Final = {event.type: event for event in (*RUN_EVENTS, *_OTHER_EVENTS)}


def of_event(payload: type[events.AnyPayload]) -> events.Event:
    """An event of a type. Raises `ValueError` where none was written above."""
    if payload.type not in _BY_TYPE:
        raise ValueError(f"scripts/protocol_docs/examples.py has no event `{payload.type}`")
    return _BY_TYPE[payload.type]


def encoded(frame: AnyFrame) -> str:
    """The frame as it goes over the wire."""
    if isinstance(frame, frames.ClientFrame):
        return frame.model_dump_json(exclude_unset=True)
    text = frame.encode()
    return text if isinstance(text, str) else text.decode()
