"""What the demo model says next: a pure function of the conversation and of the tools that are there."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from dayfly.agents.demo.intents import Intent, intents_of
from dayfly.agents.demo.shapes import ToolShape
from dayfly.agents.sdk.protocol import denial_reason
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolOutcome, UserSaid

SLOW_STORY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool to be called."""

    call_id: str
    tool: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ask:
    """Calls tools."""

    calls: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """Answers. `seconds`: how long the whole text shall take; 0 for as fast as looks natural."""

    text: str
    seconds: float = 0


def respond(messages: Sequence[Message], tools: Sequence[ToolShape]) -> Ask | Say:
    """The next response. The same conversation and tools give the same response."""
    place = max((place for place, message in enumerate(messages) if isinstance(message, UserSaid)), default=-1)
    if place < 0:
        return Say("What can I do for you?")
    said = messages[place]
    text = said.text if isinstance(said, UserSaid) else ""
    results = [message for message in messages[place + 1 :] if isinstance(message, ToolAnswered)]
    intents = intents_of(text, tools)
    if results:
        calls = {
            call.call_id: call.arguments
            for message in messages[place + 1 :]
            if isinstance(message, AssistantSaid)
            for call in message.calls
        }
        return Say("\n\n".join(_told(result, calls.get(result.call_id, "{}")) for result in results))
    if intents:
        turn = sum(isinstance(message, UserSaid) for message in messages)
        return Ask(tuple(_wanted(intent, f"call-{turn}-{number}") for number, intent in enumerate(intents, 1)))
    return _chat(text, messages[:place], tools)


def _wanted(intent: Intent, call_id: str) -> Wanted:
    return Wanted(call_id, intent.tool, intent.arguments)


def _told(result: ToolAnswered, arguments: str) -> str:
    """One tool's result in the answer's words. All that is told comes from the result."""
    content = result.content
    if result.outcome is not ToolOutcome.OK:
        return _not_done(result)
    match result.name:
        case "calculate":
            return f"{_argument(arguments, 'expression')} = {content}"
        case "current_time":
            return f"It is {content}."
        case "remember":
            return f"I will remember it. {content}"
        case "forget_note":
            return f"That is forgotten. {content}" if content.startswith("Removed ") else content
        case "recall":
            return f"This is what I have noted:\n{content}" if content.startswith("- ") else content
        case "search_history":
            return f"This is what I found:\n{content}" if content.startswith("- ") else content
    return f"{result.name}: {content}"


def _not_done(result: ToolAnswered) -> str:
    if result.outcome is not ToolOutcome.DENIED:
        return f"I could not do that with {result.name}: {result.content}"
    reason = denial_reason(result.content)
    return f"I have not used {result.name}, because you did not allow it{f': {reason}' if reason else '.'}"


def _argument(arguments: str, name: str) -> str:
    return str(json.loads(arguments).get(name, name))


_FIRST: Final = (
    r"\bwhat (did|have) i (first (ask|say|write)|((ever )?(ask|asked|say|said|write|written) (you )?(at )?first))\b"
    r"|\bwhat was (my (very )?first|the (very )?first (thing|question|message) (that )?i)\b"
)
_NOTHING_BEFORE: Final = "That was the first thing you said in this thread."


def _chat(text: str, before: Sequence[Message], tools: Sequence[ToolShape]) -> Say:
    lowered = text.casefold()
    if re.search(r"\bstory\b", lowered):
        slowly = re.search(r"\bslow(ly)?\b", lowered)
        long = re.search(r"\blong\b", lowered)
        return Say(_STORY if long or slowly else _STORY.partition("\n\n")[0], SLOW_STORY_SECONDS if slowly else 0)
    if re.search(_FIRST, lowered):
        # Read from the front. A model is given the newest turns only, so of a very long thread this is not the first.
        return Say(
            _previous(
                UserSaid, before[::-1], 'The first thing I can see of yours in this thread: "{}"', _NOTHING_BEFORE
            )
        )
    if re.search(r"\bwhat (did|have) i (just |last |previously )?(ask|asked|say|said|write|written)\b", lowered):
        return Say(_previous(UserSaid, before, 'You said: "{}"', _NOTHING_BEFORE))
    if re.search(r"\bwhat (did|have) you (just |last |previously )?(say|said|answer|answered)\b", lowered):
        return Say(_previous(AssistantSaid, before, 'I said: "{}"', "I have not said anything in this thread yet."))
    if re.fullmatch(r"\W*(hi|hello|hey|good (morning|afternoon|evening)|moin)\b.{0,20}", lowered, re.DOTALL):
        return Say(f"Hello! {_offer(tools)}")
    if re.fullmatch(r"\W*(thanks?|thank you|great|ok|okay)\b.{0,30}", lowered, re.DOTALL):
        return Say("You are welcome.")
    return Say(f"I am a scripted demo and did not find what to do in that. {_offer(tools)} What would you like?")


def _previous(kind: type[UserSaid | AssistantSaid], before: Sequence[Message], form: str, nothing: str) -> str:
    for message in reversed(before):
        if isinstance(message, kind) and isinstance(message, UserSaid | AssistantSaid) and message.text:
            return form.format(message.text)
    return nothing


_OFFERS: Final = {
    "calculate": 'calculate ("What is 17 * 23?")',
    "current_time": 'tell the time ("What time is it in Tokyo?")',
    "remember": 'keep notes ("Remember that my code is 1234")',
    "recall": 'tell them again ("What do you recall about me?")',
    "forget_note": 'forget one, if you allow it ("Forget the note about my code")',
    "search_history": 'search our threads ("Search my history for Tokyo")',
}


def _offer(tools: Sequence[ToolShape]) -> str:
    can = [_OFFERS.get(tool.name, f'use {tool.name} ("{tool.name.replace("_", " ")} …")') for tool in tools]
    return f"I can {', '.join([*can, 'and ' * bool(can) + 'tell a long story, slowly'])}."


_STORY: Final = """\
Once there was a lighthouse keeper who counted ships. Every evening she climbed the hundred and twelve steps, lit the \
lamp, and wrote down what passed: two fishing boats, a ferry, a ship with red sails that she had never seen before.

The ship with red sails came back the next night, and the night after that. It never called at the harbour. It only \
passed, always at the same hour, always from the west, as if it had forgotten to arrive somewhere and was trying again.

On the seventh night the keeper dimmed her lamp for a moment and made it bright again, three times, which among \
sailors means: I see you. For a long while nothing happened. Then, far out, a small light went dark and bright, three \
times, and the red sails turned towards the land.

The captain was an old man with a chart so worn that the coast had rubbed off. He had been looking for a harbour \
that his grandmother had told him about, where somebody wrote down every ship, so that none could be lost. The keeper \
opened her book and showed him the page. There he was: seven times, with the hour beside it.

He stayed until spring. When he left she wrote that down as well, and he has been in the book each year since, on the \
first clear night of autumn, a ship with red sails, arriving.
"""
