"""Between the neutral form and the library's."""

import json

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart, ToolReturnPart

from dayfly.agents.pydantic.requests.conversation import (
    from_model_messages,
    from_model_response,
    to_model_messages,
    to_model_response,
)
from dayfly.agents.pydantic.requests.tool_call_ids import Origin
from dayfly.log.fold import UNANSWERED
from dayfly.log.messages import AssistantSaid, Message, ProviderState, ToolAnswered, ToolCall, ToolOutcome, UserSaid
from tests.unit.agents.pydantic.states import DETAILS, state_for

CALLS = (ToolCall("a", "add", '{"x":1}'), ToolCall("b", "add", "{}"))
WHOLE: tuple[Message, ...] = (
    UserSaid("Add."),
    AssistantSaid("Adding.", CALLS),
    ToolAnswered("a", "add", "2"),
    ToolAnswered("b", "add", "no x", ToolOutcome.ERROR),
    AssistantSaid("Half of it."),
    UserSaid("And now?"),
)


def test_there_and_back() -> None:
    """A whole conversation is the same again."""
    assert from_model_messages(to_model_messages(WHOLE)) == WHOLE


def test_an_open_call_is_answered_for() -> None:
    """Before the next words of anybody, and at the end."""
    for rest in ((), (UserSaid("Hm."),), (AssistantSaid("Hm."),)):
        messages = from_model_messages(to_model_messages((*WHOLE[:3], *rest)))
        assert messages[3] == ToolAnswered("b", "add", UNANSWERED, ToolOutcome.UNANSWERED)
        assert messages[4:] == rest


def test_a_call_that_will_run_yet_stays_open() -> None:
    """As a resumed run needs it."""
    assert from_model_messages(to_model_messages(WHOLE[:3], keep_open=frozenset({"b"}))) == WHOLE[:3]


def test_only_calls_of_the_last_response_stay_open() -> None:
    """An earlier call with the same id is answered for."""
    call = AssistantSaid("", (ToolCall("a", "add", "{}"),))
    messages = from_model_messages(to_model_messages((call, UserSaid("Again."), call), keep_open=frozenset({"a"})))
    assert messages == (call, ToolAnswered("a", "add", UNANSWERED, ToolOutcome.UNANSWERED), UserSaid("Again."), call)


def test_two_calls_with_one_id_are_one() -> None:
    """There could be one result only, and providers refuse the other call."""
    twice = AssistantSaid("", (ToolCall("a", "add", "{}"), ToolCall("a", "sub", "{}")))
    assert from_model_messages(to_model_messages((twice, ToolAnswered("a", "sub", "1")))) == (
        AssistantSaid("", twice.calls[1:]),
        ToolAnswered("a", "sub", "1"),
    )


@pytest.mark.parametrize("outcome", ToolOutcome)
def test_an_outcome_survives_there_and_back(outcome: ToolOutcome) -> None:
    """A denied call does not turn into a failed one."""
    messages = (AssistantSaid("", CALLS[:1]), ToolAnswered("a", "add", "text", outcome))
    assert from_model_messages(to_model_messages(messages)) == messages


def test_a_result_nobody_asked_for_is_left_out() -> None:
    """Providers refuse it."""
    assert from_model_messages(to_model_messages((UserSaid("Hi."), ToolAnswered("x", "add", "1")))) == (
        UserSaid("Hi."),
    )


def test_an_empty_response_is_left_out() -> None:
    """Providers refuse it too."""
    assert to_model_messages((AssistantSaid(""),)) == []


def test_thoughts_stay_out_of_the_neutral_form() -> None:
    """Text parts are joined; arguments are always the text of a JSON object, whatever the model wrote."""
    response = ModelResponse([ThinkingPart("hm"), TextPart("a"), TextPart("b"), ToolCallPart("t", None, "1"),
                              ToolCallPart("t", "", "2"), ToolCallPart("t", "{", "3"),
                              ToolCallPart("t", {"x": 1}, "4")])  # fmt: skip
    said = from_model_response(response)
    assert said.text == "ab"
    assert [call.arguments for call in said.calls] == ["{}", "{}", '{"INVALID_JSON":"{"}', '{"x":1}']


def test_a_failed_result_is_marked_for_the_model() -> None:
    """An error outcome is not given as a success."""
    parts = [part for message in to_model_messages(WHOLE) for part in message.parts if isinstance(part, ToolReturnPart)]
    assert [part.outcome for part in parts] == ["success", "failed"]


def test_arguments_that_hold_half_a_character_are_kept_as_json() -> None:
    """A provider's JSON may hold one, as half of an escaped pair: UTF-8 has no form for it, and some parsers none for
    its escape."""
    said = from_model_response(ModelResponse([ToolCallPart("look", {"city": "Kiel", "odd": "\ud83d"}, "c-1")]))
    (call,) = said.calls
    assert json.loads(call.arguments) == {"city": "Kiel", "odd": "\ufffd"}
    assert call.arguments.encode()


def test_what_a_provider_wants_back_is_kept_with_the_response() -> None:
    """Part by part, as it came; reasoning that was found between tags is nothing that anybody wants."""
    said = AssistantSaid("Well.", CALLS)
    kept = state_for("bedrock", said)
    response = to_model_response(kept)
    assert from_model_response(response) == kept
    (thought, text, *calls) = response.parts
    assert isinstance(thought, ThinkingPart)
    assert (thought.content, thought.signature, thought.provider_name) == ("Hm.", "c2ln", "bedrock")
    assert text == TextPart("Well.")
    assert [part.provider_details for part in calls if isinstance(part, ToolCallPart)] == [DETAILS] * 2
    tagged = Origin("bedrock", {}).noted_in(ModelResponse([ThinkingPart("hm", id="content"), TextPart("Well.")]))
    assert from_model_response(tagged).state is None


def test_state_of_another_response_changes_nothing() -> None:
    """Text and calls are what the journal says."""
    state = state_for("bedrock", AssistantSaid("Other.", CALLS)).state
    assert from_model_response(to_model_response(AssistantSaid("Well.", CALLS, state=state))).text == "Well."


@pytest.mark.parametrize("data", ["", "{", "[]", '{"call_ids":1}', '{"call_ids":{},"parts":[{"part_kind":"new"}]}'])
def test_state_that_can_not_be_read_changes_nothing(data: str) -> None:
    """As another version may have written it."""
    said = AssistantSaid("Well.", CALLS)
    torn = AssistantSaid("Well.", CALLS, state=ProviderState("bedrock", data))
    assert from_model_messages([to_model_response(torn)]) == (said,)
