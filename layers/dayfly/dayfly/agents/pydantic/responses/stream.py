"""From the library's stream of one response to the pieces that a client is shown."""

import dataclasses
from collections.abc import Iterable, Iterator

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

from dayfly.agents.pydantic.responses.thoughts import Mistaken, Piece, Said, Thought, ThoughtSplitter
from dayfly.agents.sdk.protocol import Delta, ReasoningDelta, Retrying
from dayfly.text import sanitize

Shown = Delta | ReasoningDelta | Retrying


class ResponseStream:
    """Turns the events of one response into pieces of the answer and of the model's reasoning. All pieces of the answer
    together are the answer, character for character."""

    def __init__(self, *, show_reasoning: bool = True) -> None:
        """With `show_reasoning` off there is no piece of reasoning; it is no part of the answer either way."""
        self._show_reasoning = show_reasoning
        self._splitter = ThoughtSplitter()
        self._answer_halves = _Halves()
        self._reasoning_halves = _Halves()
        self._answer = ""
        """What was shown as the answer."""
        self._reasoning = ""
        self._reasoning_goes_on = False
        """Whether the last piece was one of reasoning."""
        self._restated = 0

    def pieces(self, event: AgentStreamEvent) -> tuple[Shown, ...]:
        """What there is to show of this event."""
        # The first piece of a part comes with its start.
        match event:
            case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                return tuple(self._show(self._splitter.feed(self._answer_halves.join(text))))
            case PartStartEvent(part=ThinkingPart(content=text)):
                return tuple(self._reason(text, begins=True))
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)):
                return tuple(self._reason(text or "", begins=False))
            case _:
                return ()

    def end(self) -> tuple[Shown, ...]:
        """What was held back, as it may have been a part of something. Nothing follows it."""
        text, thought = self._answer_halves.rest(), self._reasoning_halves.rest()
        shown = (*self._told_reasoning(thought), *self._show(self._splitter.feed(text)))
        return (*shown, *self._show(self._splitter.end()))

    def settled(self, response: ModelResponse) -> ModelResponse:
        """The response, of which this was the stream, with just the answer as its text, and all of it valid Unicode."""
        answer = self._splitter.answer
        parts = [_sanitized(part) for part in response.parts]
        text = "".join(part.content for part in parts if isinstance(part, TextPart))
        return dataclasses.replace(response, parts=parts if text == answer else list(_with_text(parts, answer)))

    def _reason(self, text: str, *, begins: bool) -> Iterator[Shown]:
        if not text:
            return
        yield from self._show(self._splitter.interrupt())
        parted = "\n\n" if begins and self._reasoning_goes_on else ""
        yield from self._told_reasoning(parted + self._reasoning_halves.join(text))

    def _show(self, pieces: Iterable[Piece]) -> Iterator[Shown]:
        for piece in pieces:
            match piece:
                case Said(text):
                    self._answer += text
                    self._reasoning_goes_on = False
                    yield Delta(text)
                case Thought(text):
                    yield from self._told_reasoning(text)
                case Mistaken(text):
                    yield from self._restate(text)

    def _restate(self, text: str) -> Iterator[Shown]:
        """Takes back what was shown as the answer, and shows it as the reasoning that it was."""
        answer, self._answer = self._answer, ""
        if not answer:
            yield from self._told_reasoning(text)
            return
        self._restated += 1
        yield Retrying("restated", self._restated, 0.0)
        parted = "\n\n" if self._reasoning else ""
        reasoning, self._reasoning = f"{self._reasoning}{parted}{answer}{text}", ""
        yield from self._told_reasoning(reasoning)

    def _told_reasoning(self, text: str) -> Iterator[Shown]:
        if text:
            self._reasoning += text
            self._reasoning_goes_on = True
            if self._show_reasoning:
                yield ReasoningDelta(text)


class _Halves:
    """Joins the halves of characters that were cut in two (surrogates, as two JSON texts escape them)."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, text: str) -> str:
        """The text behind what was held back, but for a first half at its end."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return sanitize(text)

    def rest(self) -> str:
        """What stands for a first half that nothing followed."""
        half, self._half = self._half, ""
        return sanitize(half)


def _sanitized(part: ModelResponsePart) -> ModelResponsePart:
    if isinstance(part, TextPart):
        return dataclasses.replace(part, content=sanitize(part.content))
    if isinstance(part, ToolCallPart) and isinstance(part.args, str):
        return dataclasses.replace(part, args=sanitize(part.args))
    return part


def _with_text(parts: Iterable[ModelResponsePart], text: str) -> Iterator[ModelResponsePart]:
    """The parts with this text in the place of the first that has any."""
    for part in parts:
        if not isinstance(part, TextPart):
            yield part
        elif text:
            yield dataclasses.replace(part, content=text)
            text = ""
