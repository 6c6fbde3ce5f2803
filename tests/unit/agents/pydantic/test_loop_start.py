"""Where an attempt begins."""

import random

from pydantic_ai import ToolApproved, ToolDenied
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart

from dayfly.agents.pydantic.loop_start import already_answered, open_calls_of, start_of
from dayfly.agents.pydantic.requests.conversation import to_model_messages
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolCall, ToolOutcome, UserSaid
from tests.unit.agents.support import assert_whole, turn

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


def test_a_result_of_an_earlier_response_closes_no_later_call() -> None:
    """Even where both have the same id."""
    first = (AssistantSaid("", CALLS[:1]), ToolAnswered("a", "touch", "ok"))
    assert open_calls_of((*first, AssistantSaid("", CALLS[:1]))) == CALLS[:1]
    assert open_calls_of(first) == ()


def test_the_library_is_told_what_the_user_denied() -> None:
    """With the reason; a decision on what has ended, or on nothing, changes nothing."""
    decisions = (
        Decision("a", approved=False, reason="No."),
        Decision("b", approved=False, reason="Not yet."),
        Decision("x", approved=False),
    )
    resumed = (AssistantSaid("", CALLS), ToolAnswered("a", "touch", "ok"))
    start = start_of(turn(resumed=resumed, decisions=decisions))
    assert start.open_calls is not None
    denied = ToolDenied("The user did not approve this tool call. Reason: Not yet.")
    assert start.open_calls.approvals == {"b": denied}
    start = start_of(turn(resumed=resumed, decisions=(Decision("b", approved=True),)))
    assert start.open_calls is not None
    assert start.open_calls.approvals == {"b": ToolApproved()}


def test_model_requests_of_earlier_attempts_are_counted() -> None:
    """One for each response."""
    assert start_of(turn()).used.requests == 0
    resumed = (AssistantSaid("", CALLS[:1]), ToolAnswered("a", "touch", "ok"), AssistantSaid("", CALLS[1:]))
    assert start_of(turn(resumed=resumed)).used.requests == 2


def _messages(dice: random.Random, *, of_the_user: bool) -> tuple[Message, ...]:
    """Any messages in any order: results late, twice, for nothing; calls left open; ids used again."""
    ids = ["a", "b", "c"]
    messages: list[Message] = []
    for _ in range(dice.randrange(8)):
        match dice.randrange(4 if of_the_user else 3):
            case 0:
                calls = tuple(ToolCall(dice.choice(ids), "touch", "{}") for _ in range(dice.randrange(4)))
                messages.append(AssistantSaid(dice.choice(["", "Well."]), calls))
            case 1 | 2:
                messages.append(ToolAnswered(dice.choice(ids), "touch", "ok", dice.choice(list(ToolOutcome))))
            case _:
                messages.append(UserSaid("Go on."))
    return tuple(messages)


def test_no_conversation_is_torn() -> None:
    """Whatever was said before and wherever an attempt begins, each call has one result and each result its call, but
    for the calls that this attempt carries out, and those are the open ones of the last response."""
    dice = random.Random(17)
    for _ in range(2000):
        history, resumed = _messages(dice, of_the_user=True), _messages(dice, of_the_user=False)
        assert_whole(to_model_messages((*history, *resumed)))
        start = start_of(turn(history=history, resumed=resumed))
        open_ids = set(start.open_calls.approvals) if start.open_calls else set()
        assert open_ids == {call.call_id for call in open_calls_of(resumed)}
        assert_whole([*start.history, _results_of(open_ids)])
        parts = [part for message in start.history for part in message.parts]
        own_words = [part for part in parts if isinstance(part, UserPromptPart) and part.content == "Go."]
        assert len(own_words) == bool(resumed)


def _results_of(open_ids: set[str]) -> ModelMessage:
    return ModelRequest([ToolReturnPart("touch", "ok", call_id) for call_id in open_ids])


def test_an_answer_is_a_last_response_without_calls() -> None:
    """Anything else goes on."""
    assert already_answered((AssistantSaid("Done."),)) == AssistantSaid("Done.")
    assert already_answered((AssistantSaid("Let me see.", CALLS),)) is None
    assert already_answered((AssistantSaid(""),)) is None
    assert already_answered(()) is None
