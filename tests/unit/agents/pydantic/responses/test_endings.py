"""How responses end, as providers name it."""

import pytest
from pydantic_ai.messages import FinishReason, ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from dayfly.agents.pydantic.failures.failures import ModelRefused
from dayfly.agents.pydantic.responses.endings import ResponseBroken, carried_out, finish_of
from dayfly.protocol.events import Finish

SAID = TextPart("It is thirty-")
CALLS = ToolCallPart("f", '{"a": 1}', "c-1")


def response(
    *parts: ModelResponsePart, raw: str | None = None, finish: FinishReason | None = None, provider: str | None = "some"
) -> ModelResponse:
    details = {"finish_reason": raw} if raw is not None else None
    return ModelResponse(list(parts), provider_name=provider, provider_details=details, finish_reason=finish)


@pytest.mark.parametrize(
    ("raw", "finish"),
    [
        *((raw, Finish.COMPLETE) for raw in ("stop", "tool_calls", "function_call", "end_turn", "tool_use", "STOP")),
        *((raw, Finish.COMPLETE) for raw in ("stop_sequence", "eos", "eos_token", "COMPLETE", " Stop\n")),
        *((raw, Finish.LENGTH) for raw in ("length", "max_tokens", "MAX_TOKENS", "model_length", "token_limit")),
        *((raw, Finish.CONTEXT_WINDOW) for raw in ("model_context_window_exceeded", "context_length_exceeded")),
        *((raw, Finish.FILTERED) for raw in ("content_filter", "content_filtered", "guardrail_intervened", "SAFETY")),
        *((raw, Finish.FILTERED) for raw in ("RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "sensitive")),
        ("refusal", Finish.REFUSED),
        *((raw, Finish.OTHER) for raw in ("OTHER", "LANGUAGE", "pause_turn", "something_new")),
    ],
)
def test_endings_with_text(raw: str, finish: Finish) -> None:
    """Each is one of the protocol's closed set; one that nobody knows is `other`."""
    assert finish_of(response(SAID, raw=raw)) is finish


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        *((raw, "cut_off") for raw in ("cut_off", "abort", "malformed_model_output", "malformed_tool_use")),
        *((raw, "cut_off") for raw in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "cancelled")),
        ("function_call_filter: MALFORMED_FUNCTION_CALL", "cut_off"),
        *((raw, "unavailable") for raw in ("error", "ERROR", "insufficient_system_resource", "network_error", "load")),
    ],
)
def test_endings_that_are_failures(raw: str, reason: str) -> None:
    """They may pass, whatever was said before."""
    with pytest.raises(ResponseBroken) as failure:
        finish_of(response(SAID, CALLS, raw=raw))
    assert (failure.value.reason, failure.value.retryable) == (reason, True)


@pytest.mark.parametrize(
    ("finish", "ending"),
    [
        ("stop", Finish.COMPLETE),
        ("tool_call", Finish.COMPLETE),
        ("length", Finish.LENGTH),
        ("content_filter", Finish.FILTERED),
    ],
)
def test_what_the_library_makes_of_an_ending(finish: FinishReason, ending: Finish) -> None:
    """Counts where the provider's own name is unknown."""
    assert finish_of(response(SAID, raw="something_new", finish=finish)) is ending
    assert finish_of(response(SAID, finish=finish)) is ending


def test_a_response_that_does_not_say_how_it_ended() -> None:
    """Broke off, where it is a provider's; a scripted model has no endings."""
    with pytest.raises(ResponseBroken) as failure:
        finish_of(response(SAID))
    assert failure.value.reason == "cut_off"
    assert finish_of(response(SAID, provider=None)) is Finish.COMPLETE


@pytest.mark.parametrize("parts", [(), (TextPart(""),), (TextPart(" \n"),), (ThinkingPart("plan"),)], ids=str)
@pytest.mark.parametrize("raw", ["stop", "tool_calls", "something_new", "end_turn"])
def test_no_answer(parts: tuple[ModelResponsePart, ...], raw: str) -> None:
    """A response without text and without calls is none, whatever was thought."""
    with pytest.raises(ResponseBroken, match="The model gave no answer") as failure:
        finish_of(response(*parts, raw=raw))
    assert failure.value.reason == "no_answer"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("content_filter", "filtered the answer"),
        ("guardrail_intervened", "filtered the answer"),
        ("SAFETY", "filtered the answer"),
        ("refusal", "declined"),
        ("length", "output limit"),
        ("max_tokens", "output limit"),
    ],
)
@pytest.mark.parametrize("parts", [(), (ThinkingPart("plan"), TextPart("\n"))], ids=["nothing", "thoughts"])
def test_nothing_was_let_through(parts: tuple[ModelResponsePart, ...], raw: str, told: str) -> None:
    """The same request would end alike: a failure that says why, and that trying again does not help."""
    with pytest.raises(ModelRefused, match=told) as failure:
        finish_of(response(*parts, raw=raw))
    assert not failure.value.retryable


def test_a_full_context_window_without_a_word() -> None:
    """The conversation is too long: it may go better with a shorter one."""
    with pytest.raises(ResponseBroken) as failure:
        finish_of(response(raw="model_context_window_exceeded"))
    assert failure.value.reason == "too_long"


@pytest.mark.parametrize("arguments", ['{"a": ', '{"a": 1', '["a"', "", None])
@pytest.mark.parametrize("raw", ["length", "max_tokens", "model_context_window_exceeded"])
def test_a_tool_call_that_was_cut(arguments: str | None, raw: str) -> None:
    """Is not carried out; the failure says what happened."""
    with pytest.raises(ModelRefused, match="in the middle of a tool call"):
        finish_of(response(SAID, ToolCallPart("f", arguments, "c-1"), raw=raw))


@pytest.mark.parametrize("arguments", ['{"a": 1}', "{}", {"a": 1}])
def test_a_tool_call_that_just_fitted(arguments: str | dict[str, int]) -> None:
    """Is carried out."""
    cut = response(ToolCallPart("f", arguments, "c-1"), raw="length")
    assert finish_of(cut) is Finish.LENGTH
    assert carried_out(cut, Finish.LENGTH) is cut


@pytest.mark.parametrize("raw", ["content_filter", "refusal"])
def test_a_response_that_was_held_back_calls_no_tool(raw: str) -> None:
    """Its text is the answer; without any it is none."""
    held = response(SAID, CALLS, raw=raw)
    assert list(carried_out(held, finish_of(held)).parts) == [SAID]
    with pytest.raises(ModelRefused):
        finish_of(response(CALLS, raw=raw))
