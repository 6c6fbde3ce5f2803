"""Does what the text says and nothing by chance, so that what is counted of its runs is the same in every run.

"steps=10 result=200": ten model responses of a sentence that each call a tool, whose result has 200 characters;
"stream=3": then a word each 50 ms for three seconds; "characters=5000": then so much text at once; "silence=6": then
nothing for six seconds. "hold=60": each tool takes a minute. "fresh=1": the user's runs of this minute are forgiven, so
that a long thread can be made without waiting for the quota. A later attempt says that it goes on, and ends.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, Thinking, ToolEnded, ToolStarted, Turn
from dayfly.errors import ToolOutcomeUnknown
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall
from dayfly.store import keys
from dayfly.store.rows import QuotaRow
from dayfly.store.table import Matches, Put

WORDS = (
    *("lighthouse", "keeper", "harbour", "evening", "lantern", "rope", "gull", "tide", "letter", "winter", "window"),
    *("ladder", "captain", "island", "storm", "bread", "kettle", "stone", "path", "silver", "morning", "fisher"),
    *("boat", "net", "candle", "bell", "rain", "wall", "table", "clock"),
)
WORD_S = 0.05
SENTENCE = 60
PIECE = 1000


class Scripted:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        wanted = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", turn.text)}
        if turn.in_doubt:
            raise ToolOutcomeUnknown("The engine was lost while the tool ran.")
        if turn.context.attempt > 1:
            yield Thinking("Going on.", 1)
            yield Answered("It went on.")
            return
        if "fresh" in wanted:
            await _forgive(turn)
        steps = wanted.get("steps", 0)
        for step in range(1, steps + 1):
            sentence = _prose(SENTENCE, seed=step)
            call = ToolCall(f"call-{step}", "look_up", json.dumps({"page": step}))
            yield Thinking(f"Taking step {step}.", step)
            yield Delta(sentence)
            yield Responded(AssistantSaid(sentence, (call,)), 100, 20)
            yield ToolStarted(call.name, call.call_id, {"page": step})
            await asyncio.sleep(wanted.get("hold", 0))
            result = _prose(wanted.get("result", SENTENCE), seed=-step)
            yield ToolEnded(ToolAnswered(call.call_id, call.name, result), 1)
        yield Thinking("Coming to the end.", steps + 1)
        said: list[str] = []
        async for piece in _pieces(wanted):
            said.append(piece)
            yield Delta(piece)
        await asyncio.sleep(wanted.get("silence", 0))
        yield Responded(AssistantSaid("".join(said)), 100, 50)
        yield Answered("".join(said))


async def _pieces(wanted: dict[str, int]) -> AsyncIterator[str]:
    yield "So it is. "
    for word in _words(round(wanted.get("stream", 0) / WORD_S), seed=0):
        yield word
        await asyncio.sleep(WORD_S)
    text = _prose(wanted.get("characters", 0), seed=0)
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def _prose(characters: int, *, seed: int) -> str:
    return "".join(_words(characters // 4 + 1, seed=seed))[:characters]


def _words(count: int, *, seed: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        yield dice.choice(WORDS) + " "


async def _forgive(turn: Turn) -> None:
    quota = await turn.table.get(keys.quota_key(turn.context.user_id), QuotaRow)
    if quota is not None:
        forgiven = replace(quota, version=quota.version + 1, window_count=0)
        await turn.table.write(Put(forgiven, Matches(version=quota.version)))


agent = Scripted
