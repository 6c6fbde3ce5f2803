"""The verdict finds what is wrong: a check that nothing can fail would prove nothing."""

from collections.abc import Callable

import pytest

from tests.live.kit import verdict
from tests.live.kit.client import Frame
from tests.live.kit.ledger import Admitted
from tests.live.kit.reducer import RunView, ThreadView

ADMITTED = Admitted("r-1", "t-1", "somebody", "q1", "question", expects="42")


def _event(kind: str, **payload: object) -> Frame:
    return {"type": kind, "agent_name": "assistant", "timestamp": "2026-11-22T10:00:00.000Z", "payload": payload}


def _tool(kind: str, **more: object) -> Frame:
    return _event(kind, tool_name="calculate", tool_call_id="call-1", **more)


GOOD = [
    _event("user_message", text="What is 6 * 7?", request_id="q1"),
    _event("agent_started"),
    _event("agent_thinking", step_number=1),
    _tool("tool_executing"),
    _tool("tool_completed", status="ok", result="42"),
    _event("agent_thinking", step_number=2),
    _event("agent_delta", text="It is"),
    _event("agent_resumed", attempt=2, reason="engine_lost", discard_after=5),
    _event("agent_thinking", step_number=2),
    _event("agent_delta", text="It is "),
    _event("agent_delta", text="42."),
    _event("agent_completed", result="It is 42.", truncated=False),
]


def _seen(events: list[Frame], *, without: int = 0) -> RunView:
    view = RunView("r-1", "t-1")
    for seq, event in enumerate(events, 1):
        if seq != without:
            view.take({**event, "seq": seq, "run_id": "r-1", "thread_id": "t-1"}, 0.0)
    return view


def test_a_run_that_was_resumed_has_nothing_wrong() -> None:
    """A tool, a death in mid-text, void text, an answer: all in order."""
    view = _seen(GOOD)
    assert verdict.of_run(view, ADMITTED) == []
    assert view.said() == view.answer() == "It is 42."


OTHER = {"result": "43", "truncated": False}

BROKEN: dict[str, tuple[Callable[[list[Frame]], list[Frame]], str]] = {
    "two ends": (lambda good: [*good, good[-1]], "2 terminal events"),
    "no end": (lambda good: good[:-1], "0 terminal events"),
    "two messages": (lambda good: [good[0], *good], "first event, once"),
    "begun twice": (lambda good: [*good[:2], *good[1:]], "begun twice"),
    "a tool that completes twice": (lambda good: [*good[:5], *good[4:]], "completed twice"),
    "a tool that runs after it completed": (lambda good: [*good[:5], good[3], *good[5:]], "after it completed"),
    "a tool that never began": (lambda good: [*good[:3], *good[4:]], "without having begun"),
    "a tool left open": (lambda good: [*good[:4], *good[5:]], "open calls"),
    "an attempt left out": (
        lambda good: [*good[:7], _event("agent_resumed", attempt=3, reason="engine_lost", discard_after=5), *good[8:]],
        "attempts [3]",
    ),
    "text that is not void": (
        lambda good: [*good[:7], _event("agent_resumed", attempt=2, reason="engine_lost"), *good[9:]],
        "text and result differ",
    ),
    "text that comes twice": (lambda good: [*good[:10], *good[9:]], "text and result differ"),
    "another answer": (
        lambda good: [*good[:9], _event("agent_delta", text="43"), {**good[11], "payload": OTHER}],
        "which lacks '42'",
    ),
    "another's message": (
        lambda good: [_event("user_message", text="x", request_id="q2"), *good[1:]],
        "of another request",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("broken", "complaint"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_with_a_run_is_said(broken: Callable[[list[Frame]], list[Frame]], complaint: str) -> None:
    """Each way of breaking the good run gets its complaint."""
    assert any(complaint in wrong for wrong in verdict.of_run(_seen(broken(list(GOOD))), ADMITTED))


def test_a_lost_event_is_said() -> None:
    """A hole in the seqs is a loss, and whatever comes behind it does not count."""
    assert any("lost" in wrong for wrong in verdict.of_run(_seen(GOOD, without=6), ADMITTED))


def test_two_events_at_one_seq_are_said() -> None:
    """An event that comes again with other content was rewritten."""
    view = _seen(GOOD)
    assert view.take({**view.events[7], "payload": {"text": "other"}}, 0.0) is False
    assert any("two events at [7]" in wrong for wrong in verdict.of_run(view, ADMITTED))


def _thread(*views: RunView) -> ThreadView:
    return ThreadView("t-1", {view.run_id: view for view in views})


def _message(role: str, text: str, run: str = "r-1") -> Frame:
    return {"role": role, "text": text, "run_id": run}


def test_histories_are_held_against_events() -> None:
    """The same words are right; other words, a run that is missing and one that is told twice are not."""
    thread = _thread(_seen(GOOD))
    right = [_message("user", "What is 6 * 7?"), _message("assistant", "It is "), _message("assistant", "42.")]
    assert verdict.of_history(thread, right) == []
    assert verdict.of_history(thread, right[:2]) != []
    assert verdict.of_history(thread, []) != []
    assert verdict.of_history(thread, [*right, _message("user", "x", "r-2"), *right]) != []


def test_devices_are_held_against_a_fresh_one() -> None:
    """A device that holds the same events is right; one that lacks an event or holds another's run is not."""
    fresh = {"t-1": _thread(_seen(GOOD))}
    assert verdict.of_device("phone", {"t-1": _thread(_seen(GOOD))}, fresh) == []
    assert verdict.of_device("phone", {"t-1": _thread(_seen(GOOD[:-1]))}, fresh) != []
    assert verdict.of_device("phone", {"t-2": ThreadView("t-2")}, fresh) != []
    assert verdict.of_device("phone", {"t-1": _thread(_seen(GOOD), RunView("r-9", "t-1"))}, fresh) != []


def test_notes_are_counted() -> None:
    """A kept note is told once; told twice it was doubled, told never it was lost, unless it was forgotten."""
    kept, forgot = _seen(GOOD), _seen(GOOD)
    assert verdict.of_note("mark1", "- my code is mark1", keeper=kept, forgetter=None) == []
    assert verdict.of_note("mark1", "- mark1\n- mark1", keeper=kept, forgetter=None) != []
    assert verdict.of_note("mark1", "", keeper=kept, forgetter=None) != []
    assert verdict.of_note("mark1", "", keeper=kept, forgetter=forgot) == []
    assert verdict.of_note("mark1", "- mark1", keeper=kept, forgetter=forgot) != []
