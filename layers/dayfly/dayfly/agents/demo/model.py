"""The script behind pydantic-ai's own Model interface."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from dayfly.agents.demo.instances import instance_of
from dayfly.agents.demo.script import Ask, respond
from dayfly.agents.demo.shapes import Schema, ToolShape
from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import OpenModel
from dayfly.agents.pydantic.requests.conversation import from_model_messages
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.log.messages import UserSaid

PAUSE_SECONDS: Final = 0.025
ANSWER_SECONDS: Final = 0.8
"""A short answer takes no longer than this."""


def opener(model_id: str, models: Models, settings: ModelSettings) -> OpenModel:
    """Opens the model. It calls the tools that are registered with the agent, and answers from their results."""
    del model_id, models, settings  # there is one, and it needs nothing
    return _open


@asynccontextmanager
async def _open() -> AsyncIterator[Model]:
    yield FunctionModel(stream_function=_stream, model_name="demo")


async def _stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    tools = tuple(ToolShape.of(tool.name, tool.parameters_json_schema) for tool in info.function_tools)
    reply = respond(from_model_messages(messages), tools)
    if isinstance(reply, Ask):
        await asyncio.sleep(PAUSE_SECONDS)
        yield {
            place: DeltaToolCall(
                name=call.tool, json_args=json.dumps(call.arguments, ensure_ascii=False), tool_call_id=call.call_id
            )
            for place, call in enumerate(reply.calls)
        }
        return
    wanted = info.model_request_parameters.output_object
    text = _written(wanted.json_schema, messages, reply.text) if wanted is not None else reply.text
    pieces = list(_pieces(text))
    pause = reply.seconds / len(pieces) if reply.seconds else min(PAUSE_SECONDS, ANSWER_SECONDS / len(pieces))
    for piece in pieces:
        await asyncio.sleep(pause)
        yield piece


def _written(schema: Schema, messages: list[ModelMessage], answer: str) -> str:
    """The answer as JSON of this schema."""
    said = [message.text for message in from_model_messages(messages) if isinstance(message, UserSaid)]
    return json.dumps(instance_of(schema, said[-1] if said else "", answer), ensure_ascii=False)


def _pieces(text: str) -> Iterator[str]:
    """Two words at a time, each with the blanks behind it, so that the pieces make up the text."""
    words = text.split(" ")
    for place in range(0, len(words), 2):
        last = place + 2 >= len(words)
        yield " ".join(words[place : place + 2]) + ("" if last else " ")
