"""Bounding a request by what its model holds."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pydantic_ai.messages import ModelResponsePart, TextPart, ThinkingPart, ToolCallPart, UserContent

from dayfly.agents.pydantic.requests.steps import Asked, Said, Step, turns_of
from dayfly.agents.pydantic.requests.text import arguments_json
from dayfly.agents.pydantic.requests.tool_results import text_in, with_text
from dayfly.text import shortened

BYTES_PER_TOKEN: Final = 3
"""By which tokens are estimated from text in UTF-8. English takes more than four bytes a token, code, JSON and Chinese
about three; what takes fewer is refused by the provider, and a request of half the size is made."""
PART_BYTES: Final = 40
"""What a part takes beside its text: names, ids, roles."""
FILE_BYTES: Final = 6000
"""What an image or a file counts as, whose tokens do not depend on its bytes."""
LEAST_BYTES: Final = 600
"""Nothing is cut to less."""

Cut = Callable[[str], str]


def within(steps: Sequence[Step], room: int) -> list[Step]:
    """The newest turn, and as many of the turns before it as fit into `room` (tokens, by estimate): whole turns, the
    newest of them.

    A newest turn that is too long by itself keeps the head and tail of its results, each as much of it as of any
    other; if that does not suffice, of arguments and texts too; at last its oldest responses are left out. So does the
    turn before it where it is too long for what is left: it is what the newest words are about.
    """
    allowed = room * BYTES_PER_TOKEN
    *older, newest = turns_of(steps) or [[]]
    kept = _cut(newest, allowed)
    left = allowed - size_of(kept)
    for ago, turn in enumerate(reversed(older), 1):
        fitting = _cut(turn, left) if ago == 1 else turn
        left -= size_of(fitting)
        if left < 0:
            break
        kept = [*fitting, *kept]
    return kept


def size_of(steps: Iterable[Step]) -> int:
    """What the steps take, in bytes."""
    total = 0
    for step in steps:
        if isinstance(step, Asked):
            total += sum(PART_BYTES + _content_bytes(content) for content in step.contents)
        else:
            total += sum(PART_BYTES + _part_bytes(part) for part in step.response.parts)
            total += sum(
                PART_BYTES + _bytes(text_in(result)) + FILE_BYTES * len(result.files) for result in step.results
            )
    return total


def _cut(turn: list[Step], allowed: int) -> list[Step]:
    for lengths, cut in ((_lengths_of_results, _with_results), (_lengths_of_texts, _with_texts)):
        excess = size_of(turn) - allowed
        if excess <= 0:
            return turn
        limit = _limit(lengths(turn), excess)
        turn = [cut(step, limit) for step in turn]
    return _newest_of(turn, allowed)


def _newest_of(turn: list[Step], allowed: int) -> list[Step]:
    """The turn without its oldest responses, as far as it has to be; what was asked stays, and the last response."""
    said = [step for step in turn if isinstance(step, Said)]
    excess = size_of(turn) - allowed
    left_out = 0
    while excess > 0 and left_out < len(said) - 1:
        excess -= size_of([said[left_out]])
        left_out += 1
    oldest = {id(step) for step in said[:left_out]}
    return [step for step in turn if id(step) not in oldest]


def _limit(lengths: Sequence[int], excess: int) -> int:
    """The bytes to which the longest of these texts are cut so that all of them become shorter by `excess`."""
    low, high = LEAST_BYTES, max(lengths, default=LEAST_BYTES)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(max(0, length - middle) for length in lengths) >= excess:
            low = middle
        else:
            high = middle - 1
    return low


def _lengths_of_results(turn: Iterable[Step]) -> list[int]:
    return [_bytes(text_in(result)) for step in turn if isinstance(step, Said) for result in step.results]


def _with_results(step: Step, limit: int) -> Step:
    if isinstance(step, Asked):
        return step
    answers = {
        call_id: with_text(result, shortened(text_in(result), limit)) for call_id, result in step.answers.items()
    }
    return dataclasses.replace(step, answers=answers)


def _lengths_of_texts(turn: Iterable[Step]) -> list[int]:
    lengths: list[int] = []
    for step in turn:
        if isinstance(step, Asked):
            lengths += [_bytes(content) for content in step.contents if isinstance(content, str)]
        else:
            lengths += [_part_bytes(part) for part in step.response.parts if isinstance(part, TextPart | ToolCallPart)]
    return lengths


def _with_texts(step: Step, limit: int) -> Step:
    if isinstance(step, Said):
        return step.with_parts(_shortened_part(part, limit) for part in step.response.parts)
    contents = (shortened(content, limit) if isinstance(content, str) else content for content in step.contents)
    return dataclasses.replace(step, contents=tuple(contents))


def _shortened_part(part: ModelResponsePart, limit: int) -> ModelResponsePart:
    if isinstance(part, TextPart):
        return dataclasses.replace(part, content=shortened(part.content, limit))
    if isinstance(part, ToolCallPart) and (length := _part_bytes(part)) > limit:
        left_out = {"left_out": f"{length} bytes of arguments: too long for the model"}
        return dataclasses.replace(part, args=json.dumps(left_out))
    return part


def _part_bytes(part: ModelResponsePart) -> int:
    match part:
        case TextPart(content=text):
            return _bytes(text)
        case ThinkingPart(content=text, signature=signature):
            return _bytes(text) + _bytes(signature or "")
        case ToolCallPart():
            return _bytes(part.tool_name) + _bytes(arguments_json(part.args))
        case _:
            return FILE_BYTES


def _content_bytes(content: UserContent) -> int:
    return _bytes(content) if isinstance(content, str) else FILE_BYTES


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
