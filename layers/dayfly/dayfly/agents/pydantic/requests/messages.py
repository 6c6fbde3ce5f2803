"""From a conversation to the messages of one request: such as this provider takes, and no more than its model holds.

Pure. What differs between providers stands in `rules.py`.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    RetryFeedbackPart,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from dayfly.agents.pydantic.requests.provider_state import FROM_TAGS
from dayfly.agents.pydantic.requests.rules import Rules, Thoughts
from dayfly.agents.pydantic.requests.size import BYTES_PER_TOKEN, size_of, within
from dayfly.agents.pydantic.requests.steps import Asked, Said, Step, joined, turns_of
from dayfly.agents.pydantic.requests.text import arguments_json, is_blank, name_like
from dayfly.agents.pydantic.requests.tool_call_ids import Origin, short_id
from dayfly.agents.pydantic.requests.tool_results import text_in, with_text
from dayfly.text import sanitize, shortened

NO_OUTPUT: Final = "(no output)"
"""Stands for a tool's result that is blank."""
NO_WORDS: Final = "(an empty message)"
"""Stands for a user's words that are blank."""
NO_ANSWER: Final = "(no answer)"
"""Stands between results and the user's next words, where the model had said nothing."""
LEFT_OUT: Final = "(The beginning of this conversation is left out.)"
"""Stands before a response that is the first of the conversation."""
FILES: Final = "(The files that the tools returned.)"
GO_ON: Final = "(Go on.)"
"""Stands behind a response that is the last of the conversation."""


def request_messages(
    messages: Sequence[ModelMessage], rules: Rules, *, provider: str, tools: bool, room: int, shrink: int = 0
) -> list[ModelMessage]:
    """The messages of a request.

    Args:
        messages: The conversation, as the library holds it; it stays as it is.
        rules: Of the provider that is asked.
        provider: As `provider_of` names it: what it gave goes back to it, and nobody else's does.
        tools: Whether the request lists any.
        room: Tokens that the messages may take, by estimate. The oldest turns are left out for it, then long results,
            arguments and texts of the newest turn are cut.
        shrink: How often what fits there is halved, by size: the provider says that it does not.
    """
    conversation = _with_thoughts(joined(_steps_of(messages, rules, provider)), rules)
    steps = within(conversation, room)
    if shrink:
        steps = within(conversation, (size_of(steps) // BYTES_PER_TOKEN) >> shrink)
    if rules.tools_wanted and not tools:
        steps = joined(_told(steps))
    if rules.alternates:
        steps = _alternating(steps)
    return _written(_begun_and_ended(steps), rules, messages)


def folded(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The messages with notes that the library has put among them as a part of the text that they are about: behind
    results of the last one, else of the user's words. So `system` stays first, and roles alternate."""
    return [
        dataclasses.replace(message, parts=_folded_parts(message.parts, first=place == 0))
        if isinstance(message, ModelRequest)
        else message
        for place, message in enumerate(messages)
    ]


def _folded_parts(parts: Sequence[ModelRequestPart], *, first: bool) -> list[ModelRequestPart]:
    whole: list[ModelRequestPart] = []
    for part in parts:
        before = whole[-1] if whole else None
        leads = first and all(isinstance(one, SystemPromptPart) for one in [*whole, part])
        if leads or not isinstance(part, SystemPromptPart | UserPromptPart):
            whole.append(part)
        elif isinstance(before, ToolReturnPart) and isinstance(part.content, str):
            whole[-1] = with_text(before, f"{text_in(before)}\n\n{part.content}")
        elif isinstance(before, UserPromptPart):
            whole[-1] = _prompt((*_contents(before), *_contents(part)))
        else:
            whole.append(_prompt(_contents(part)))
    return whole


def _steps_of(messages: Iterable[ModelMessage], rules: Rules, provider: str) -> list[Step]:
    steps: list[Step] = []
    for message in messages:
        if isinstance(message, ModelResponse):
            steps.append(_said(message, rules, provider))
            continue
        files: list[UserContent] = []
        for part in message.parts:
            if isinstance(part, ToolReturnPart):
                if steps and isinstance(said := steps[-1], Said):
                    steps[-1] = said.with_answer(_result(part, rules))
                    # A strict template has no place for a file among results: it comes behind them.
                    files += part.files if rules.alternates else ()
            elif isinstance(part, UserPromptPart | SystemPromptPart):
                steps.append(Asked(_words(_contents(part), rules)))
            elif isinstance(part, RetryFeedbackPart):
                steps.append(Asked((sanitize(part.model_response()),), begins=False))
        if files:
            steps.append(Asked((FILES, *files), begins=False))
    return steps


def _said(response: ModelResponse, rules: Rules, provider: str) -> Said:
    """The response with the parts that this provider takes. What another one gave beside text and calls is left out."""
    origin = Origin.of(response)
    own = origin is not None and origin.provider == provider
    parts: list[ModelResponsePart] = []
    for part in response.parts:
        match part:
            case TextPart():
                signs = own and rules.signed_blanks and part.provider_details
                if signs or not is_blank(part.content):
                    text = _bounded(part.content, rules)
                    parts.append(dataclasses.replace(part, content=text) if own else TextPart(text))
            case ToolCallPart():
                parts.append(_call(part, rules, own=own))
            case ThinkingPart():
                if own and _goes_back(part, rules):
                    parts.append(part)
            case _:
                if own:
                    parts.append(part)
    if not own or origin is None:
        return Said(ModelResponse(parts))
    return Said(dataclasses.replace(response, parts=parts), own=True, own_ids=origin.call_ids)


def _call(part: ToolCallPart, rules: Rules, *, own: bool) -> ToolCallPart:
    return ToolCallPart(
        name_like(part.tool_name, rules.tool_name),
        arguments_json(part.args),
        part.tool_call_id,
        id=part.id if own else None,
        provider_name=part.provider_name if own else None,
        provider_details=part.provider_details if own else None,
    )


def _goes_back(part: ThinkingPart, rules: Rules) -> bool:
    if rules.thoughts is Thoughts.SIGNED:
        return bool(part.signature)
    return bool(part.id) and part.id != FROM_TAGS


def _with_thoughts(steps: Iterable[Step], rules: Rules) -> list[Step]:
    """The steps without reasoning that came in a field, in turns in which no tool was called: only with its calls does
    a provider want it. Source: https://api-docs.deepseek.com/guides/thinking_mode"""
    if rules.thoughts is Thoughts.SIGNED:
        return list(steps)
    kept: list[Step] = []
    for turn in turns_of(steps):
        if any(isinstance(step, Said) and step.calls for step in turn):
            kept += turn
        else:
            kept += [_without_thoughts(step) for step in turn]
    return kept


def _without_thoughts(step: Step) -> Step:
    if isinstance(step, Asked):
        return step
    return step.with_parts(part for part in step.response.parts if not isinstance(part, ThinkingPart))


def _told(steps: Iterable[Step]) -> list[Step]:
    """The steps with calls and results as text. It is given as the user's, as what a model reads as its own words it
    writes again: and these are no way to call a tool."""
    told: list[Step] = []
    for step in steps:
        if isinstance(step, Said) and step.calls:
            told.append(Said(ModelResponse([TextPart(step.text)] if step.text else [])))
            told.append(Asked(tuple(map(_as_text, step.calls, step.results)), begins=False))
        else:
            told.append(step)
    return told


def _as_text(call: ToolCallPart, result: ToolReturnPart) -> str:
    content = result.model_response_str(wrap_if_error=False)
    return f"[The assistant called the tool {call.tool_name} with {call.args}. The result: {content}]"


def _alternating(steps: Iterable[Step]) -> list[Step]:
    whole: list[Step] = []
    for step in steps:
        if isinstance(step, Asked) and whole and isinstance(said := whole[-1], Said) and said.calls:
            whole.append(Said(ModelResponse([TextPart(NO_ANSWER)])))
        if isinstance(step, Said) and not step.own and len(step.calls) > 1:
            whole += _one_by_one(step)
        else:
            whole.append(step)
    return whole


def _one_by_one(step: Said) -> list[Step]:
    first, *rest = step.calls
    texts = [part for part in step.response.parts if isinstance(part, TextPart)]
    return [step.with_parts([*texts, first]), *(step.with_parts([call]) for call in rest)]


def _begun_and_ended(steps: list[Step]) -> list[Step]:
    if not steps or isinstance(steps[0], Said):
        steps = [Asked((LEFT_OUT if steps else NO_WORDS,)), *steps]
    if isinstance(last := steps[-1], Said) and not last.calls:
        steps = [*steps, Asked((GO_ON,))]
    return steps


def _written(steps: Iterable[Step], rules: Rules, given: Sequence[ModelMessage]) -> list[ModelMessage]:
    written: list[ModelMessage] = []
    used: set[str] = set()
    for step in steps:
        if isinstance(step, Asked):
            written.append(ModelRequest([_prompt(step.contents)]))
            continue
        ids = {call.tool_call_id: _wire_id(call.tool_call_id, step, rules, used) for call in step.calls}
        written.append(
            dataclasses.replace(
                step.response,
                parts=[
                    dataclasses.replace(part, tool_call_id=ids[part.tool_call_id])
                    if isinstance(part, ToolCallPart)
                    else part
                    for part in step.response.parts
                ],
            )
        )
        if step.calls:
            # In a request of their own: what the library adds to it is a note on a result (see `folded`).
            written.append(
                ModelRequest([dataclasses.replace(one, tool_call_id=ids[one.tool_call_id]) for one in step.results])
            )
    if given and isinstance(last := given[-1], ModelRequest) and isinstance(written[-1], ModelRequest):
        # It carries what the library has noted in it beside its parts, such as its instructions.
        written[-1] = dataclasses.replace(last, parts=written[-1].parts)
    return written


def _wire_id(call_id: str, step: Said, rules: Rules, used: set[str]) -> str:
    """The id of a call in a request: the provider's own where it gave one; else ours, if it takes it; no id twice."""
    own = sanitize(step.own_ids.get(call_id, "")) if rules.own_call_ids else ""
    if not own or own in used:
        own = call_id if rules.takes_call_id(call_id) and call_id not in used else ""
    again = 0
    while not own or own in used:
        own, again = short_id(call_id, again), again + 1
    used.add(own)
    return own


def _result(part: ToolReturnPart, rules: Rules) -> ToolReturnPart:
    text = _bounded(text_in(part), rules)
    text = NO_OUTPUT if is_blank(text) else text
    content = text if rules.alternates or not part.files else [text, *part.files]
    return ToolReturnPart(name_like(part.tool_name, rules.tool_name), content, part.tool_call_id, outcome=part.outcome)


def _words(contents: Iterable[UserContent], rules: Rules) -> tuple[UserContent, ...]:
    texts = (_bounded(content, rules) if isinstance(content, str) else content for content in contents)
    return tuple(text for text in texts if not isinstance(text, str) or not is_blank(text)) or (NO_WORDS,)


def _contents(part: UserPromptPart | SystemPromptPart) -> tuple[UserContent, ...]:
    if isinstance(part.content, str):
        return (part.content,)
    return tuple(content.content if isinstance(content, TextContent) else content for content in part.content)


def _prompt(contents: Sequence[UserContent]) -> UserPromptPart:
    texts = [content for content in contents if isinstance(content, str)]
    return UserPromptPart("\n\n".join(texts) if len(texts) == len(contents) else list(contents))


def _bounded(text: str, rules: Rules) -> str:
    text = sanitize(text)
    return text if rules.longest_text is None else shortened(text, rules.longest_text)
