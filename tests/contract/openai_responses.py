"""What the tests of servers of OpenAI's Chat Completions share: pieces of their streams, and what comes of them."""

from pydantic import JsonValue

from dayfly.agents.sdk import AgentDefinition
from tests.contract.hearing import AGENT, Heard, hear
from tests.contract.model_adapters import OpenAI
from tests.contract.model_server import Answer
from tests.contract.openai_wire import chunk, counted

HELLO = chunk({"content": "Hello"})
STOP = chunk({}, "stop")
USED = counted(10, 5)


async def heard(*answers: Answer, agent: AgentDefinition = AGENT) -> Heard:
    """What comes of these answers."""
    return await hear(OpenAI(), *answers, agent=agent)


def raw(*lines: str) -> tuple[bytes, ...]:
    """Events as they are."""
    return tuple(f"{line}\n\n".encode() for line in lines)


def tools(*items: JsonValue) -> bytes:
    """A chunk with pieces of tool calls."""
    return chunk({"tool_calls": list(items)})


def part(
    arguments: JsonValue = None, name: JsonValue = None, call_id: JsonValue = None, index: JsonValue = 0
) -> dict[str, JsonValue]:
    """A piece of a tool call, of those members that are given."""
    function: JsonValue = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    item: dict[str, JsonValue] = {"function": function, "type": "function"}
    return item | {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}
