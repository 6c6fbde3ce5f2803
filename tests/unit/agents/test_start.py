"""Where an attempt begins."""

from dayfly.agents.start import already_answered, start_of
from dayfly.runlog.messages import AssistantSaid, ToolAnswered, ToolCall
from tests.unit.agents.support import turn

CALLS = (ToolCall("a", "touch", "{}"), ToolCall("b", "touch", "{}"))


def test_a_fresh_run_begins_with_the_users_words() -> None:
    """They are the prompt, not a part of the history."""
    start = start_of(turn("Go."))
    assert (start.prompt, start.history, start.open_calls) == ("Go.", [], None)


def test_a_resumed_run_has_no_prompt() -> None:
    """The user's words stand in the history, before what the run has said and done."""
    start = start_of(turn("Go.", resumed=(AssistantSaid("", CALLS[:1]), ToolAnswered("a", "touch", "ok"))))
    assert start.prompt is None
    assert start.open_calls is None
    assert len(start.history) == 3


def test_only_calls_without_a_result_are_open() -> None:
    """And only those of the last response."""
    start = start_of(turn(resumed=(AssistantSaid("", CALLS), ToolAnswered("a", "touch", "ok"))))
    assert start.open_calls is not None
    assert set(start.open_calls.approvals) == {"b"}


def test_an_answer_is_a_last_response_without_calls() -> None:
    """Anything else goes on."""
    assert already_answered((AssistantSaid("Done."),)) == "Done."
    assert already_answered((AssistantSaid("Let me see.", CALLS),)) is None
    assert already_answered((AssistantSaid(""),)) is None
    assert already_answered(()) is None
