"""What a client is shown of a response as it comes."""

from collections.abc import Iterable

import pytest
from pydantic_ai.messages import (
    AgentStreamEvent,
    ModelResponse,
    ModelResponsePart,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
)

from dayfly.agents.pydantic.responses.stream import ResponseStream, Shown
from dayfly.agents.sdk.protocol import Delta, ReasoningDelta, Retrying


def said(*pieces: str) -> Iterable[AgentStreamEvent]:
    yield PartStartEvent(index=0, part=TextPart(pieces[0]))
    for piece in pieces[1:]:
        yield PartDeltaEvent(index=0, delta=TextPartDelta(piece))


def shown(events: Iterable[AgentStreamEvent], *, show_reasoning: bool = True) -> list[Shown]:
    stream = ResponseStream(show_reasoning=show_reasoning)
    return [*(piece for event in events for piece in stream.pieces(event)), *stream.end()]


def settled(events: Iterable[AgentStreamEvent], *parts: ModelResponsePart) -> list[ModelResponsePart]:
    stream = ResponseStream()
    for event in events:
        stream.pieces(event)
    stream.end()
    return list(stream.settled(ModelResponse(list(parts))).parts)


def test_tagged_thoughts_are_reasoning() -> None:
    """They are no part of the response that goes on to the journal and the next request either."""
    events = list(said("<think>plan", "</think>", "Hello"))
    assert shown(events) == [ReasoningDelta("plan"), Delta("Hello")]
    call = ToolCallPart("f", "{}", "c-1")
    assert settled(events, TextPart("<think>plan</think>Hello"), call) == [TextPart("Hello"), call]
    assert settled(said("<think>plan"), TextPart("<think>plan"), call) == [call]


def test_reasoning_can_be_left_out() -> None:
    """Of either kind; the answer is the same."""
    events = [*said("<think>plan", "</think>", "Hello"), PartStartEvent(index=1, part=ThinkingPart("more"))]
    assert shown(events, show_reasoning=False) == [Delta("Hello")]


def test_what_was_shown_as_the_answer_is_taken_back() -> None:
    """Where the end of a thought comes whose beginning did not: all of it is shown again, as reasoning."""
    assert shown(said("plan", " B</think>", "Hello")) == [
        Delta("plan"),
        Retrying("restated", 1, 0.0),
        ReasoningDelta("plan B"),
        Delta("Hello"),
    ]
    assert shown(said("plan</think>Hello")) == [ReasoningDelta("plan"), Delta("Hello")]
    assert shown(said("plan", "</think>Hello"), show_reasoning=False) == [
        Delta("plan"),
        Retrying("restated", 1, 0.0),
        Delta("Hello"),
    ]


def test_reasoning_that_was_shown_before_is_shown_again() -> None:
    """For what takes back the answer takes back all that the response has shown."""
    events = [PartStartEvent(index=0, part=ThinkingPart("first")), *said("then", "</think>Hello")]
    assert shown(events) == [
        ReasoningDelta("first"),
        Delta("then"),
        Retrying("restated", 1, 0.0),
        ReasoningDelta("first\n\nthen"),
        Delta("Hello"),
    ]


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        (("a\ud83d", "\ude00b"), "a😀b"),
        (("a\ud83d\ude00b",), "a😀b"),
        (("\ud83d", "\ude00", "\ud83d", "\ude00"), "😀😀"),
        (("a\ud83d", "b"), "a\ufffdb"),
        (("a\ud83d",), "a\ufffd"),
        (("\ud83d", "\ud83d", "\ude00"), "\ufffd😀"),
    ],
)
def test_halves_of_characters_are_joined(pieces: tuple[str, ...], answer: str) -> None:
    """A half alone becomes U+FFFD; the pieces together are the answer, and no piece holds a half."""
    events = list(said(*pieces))
    told = [piece.text for piece in shown(events) if isinstance(piece, Delta)]
    assert "".join(told) == answer
    for text in told:
        text.encode()
    assert settled(events, TextPart("".join(pieces))) == [TextPart(answer)]


def test_halves_in_reasoning_and_arguments() -> None:
    """They are joined there too."""
    events: list[AgentStreamEvent] = [
        PartStartEvent(index=0, part=ThinkingPart("a\ud83d")),
        PartDeltaEvent(index=0, delta=ThinkingPartDelta(content_delta="\ude00b")),
    ]
    assert shown(events) == [ReasoningDelta("a"), ReasoningDelta("😀b")]
    call = ToolCallPart("f", '{"a": "\ud83d\ude00\ud83d"}', "c-1")
    assert settled((), call) == [ToolCallPart("f", '{"a": "😀\ufffd"}', "c-1")]


def test_two_parts_of_reasoning_are_parted() -> None:
    """By an empty line, where nothing was said between them."""
    events = [PartStartEvent(index=at, part=ThinkingPart(text)) for at, text in enumerate(("one", "two"))]
    assert shown(events) == [ReasoningDelta("one"), ReasoningDelta("\n\ntwo")]
