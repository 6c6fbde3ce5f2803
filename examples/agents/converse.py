"""Bedrock's Converse by boto3 alone, behind `Agent`: "Is the ferry to Oslo late?".

Needs nothing that the engine does not have. The setting `CONVERSE_MODEL` (a line in `.env`, or a parameter of
`AgentParameters`) names another model or inference profile. On AWS the engine's role must be allowed to invoke it
(`AgentModels=bedrock`), and boto3 finds region and credentials as it always does; under `make run` those are for what
is played there, and the developer's own have names that begin with `BEDROCK_`. boto3 blocks, so each piece of the
stream is awaited in a thread; on the way out the socket is shut down, which ends the wait at once.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from dayfly.agents.sdk import (
    AgentEvent,
    Answered,
    AssistantSaid,
    Delta,
    Finish,
    Message,
    ModelFailed,
    Responded,
    SecretMissing,
    Thinking,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolOutcome,
    ToolStarted,
    Turn,
    UserSaid,
    run_in_thread,
)

Json = dict[str, Any]

SYSTEM: Final = [{"text": "You work in a port. Look each ferry up before you speak of it."}]
SCHEMA: Final = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
SPEC: Final = {"name": "ferry", "description": "Where a town's ferry is.", "inputSchema": {"json": SCHEMA}}
FINISHES: Final = {
    "end_turn": Finish.COMPLETE,
    "stop_sequence": Finish.COMPLETE,
    "tool_use": Finish.COMPLETE,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.CONTEXT_WINDOW,
    "content_filtered": Finish.FILTERED,
    "guardrail_intervened": Finish.FILTERED,
}
FERRIES: Final = {"Oslo": "20 minutes late", "Klaipeda": "on time"}


def ferry(town: str) -> str:
    """The tool. It only looks, so it may run twice: a call in doubt is carried out again."""
    return FERRIES.get(town, "unknown")


def new_client() -> Any:
    """boto3's client; one that has to wait longer than this for a piece gives up, and its thread ends."""
    session = boto3.Session(
        profile_name=os.environ.get("BEDROCK_PROFILE"),
        region_name=os.environ.get("BEDROCK_REGION"),
        aws_access_key_id=os.environ.get("BEDROCK_ACCESS_KEY_ID"),
        aws_secret_access_key=os.environ.get("BEDROCK_SECRET_ACCESS_KEY"),
        aws_session_token=os.environ.get("BEDROCK_SESSION_TOKEN"),
    )
    return session.client("bedrock-runtime", config=Config(read_timeout=60, retries={"total_max_attempts": 3}))


async def model_of(turn: Turn) -> str:
    """The model or inference profile to ask."""
    try:
        return await turn.setting("CONVERSE_MODEL")
    except SecretMissing:
        return "amazon.nova-lite-v1:0"


class Converse:
    """One agent for one run attempt, with a client of its own: so nothing is shared between users."""

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """Goes between model and tool until there is an answer."""
        said: list[Message] = [UserSaid(turn.text), *turn.resumed]
        model, client = await model_of(turn), new_client()
        try:
            while True:
                for call in _open_calls(said):
                    arguments = json.loads(call.arguments)
                    yield ToolStarted(call.name, call.call_id, arguments)
                    began = turn.clock.monotonic()
                    result = _carried_out(call, arguments)
                    yield ToolEnded(result, round((turn.clock.monotonic() - began) * 1000))
                    said.append(result)
                if isinstance(answer := said[-1], AssistantSaid):
                    yield Answered(answer.text, answer.finish)
                    return
                yield Thinking("Looking at the port.", 1 + sum(isinstance(one, AssistantSaid) for one in said))
                response = _Response()
                async with _stream(client, model, [*turn.history, *said]) as pieces:
                    async for piece in pieces:
                        if text := response.take(piece):
                            yield Delta(text)
                message = response.message()
                said.append(message)
                yield Responded(message, response.used["inputTokens"], response.used["outputTokens"])
        finally:
            client.close()


@asynccontextmanager
async def _stream(client: Any, model: str, messages: list[Message]) -> AsyncIterator[AsyncIterator[Json]]:
    """The pieces of the model's response. On the way out the stream is closed, wherever it is."""
    request = {
        "modelId": model,
        "system": SYSTEM,
        "messages": _to_converse(messages),
        "toolConfig": {"tools": [{"toolSpec": SPEC}]},
    }
    streams: list[Any] = []
    left = False

    def ask() -> None:
        streams.append(client.converse_stream(**request)["stream"])
        if left:  # nobody waits for it any more
            streams[0].close()

    async def pieces() -> AsyncIterator[Json]:
        rest = iter(streams[0])
        while (piece := await run_in_thread(lambda: next(rest, None), name="converse")) is not None:
            yield piece

    try:
        await run_in_thread(ask, name="converse")
        yield pieces()
    except (BotoCoreError, ClientError, HTTPError) as error:  # also what Bedrock sends in the middle of the stream
        raise ModelFailed("The model failed.") from error
    finally:
        left = True
        for stream in streams:
            raw = stream._raw_stream  # noqa: SLF001  # closing alone would wait for the thread that reads
            if not raw.closed:
                raw.shutdown()
            await run_in_thread(stream.close, name="converse")


class _Response:
    """One response as it comes."""

    def __init__(self) -> None:
        self.used = {"inputTokens": 0, "outputTokens": 0}
        self._text: list[str] = []
        self._calls: list[ToolCall] = []
        self._stop: str | None = None

    def take(self, piece: Json) -> str:
        """Takes a piece, and returns the text in it."""
        if start := piece.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
            self._calls.append(ToolCall(start["toolUseId"], start["name"], ""))
        delta = piece.get("contentBlockDelta", {}).get("delta", {})
        if "toolUse" in delta:
            last = self._calls.pop()
            self._calls.append(ToolCall(last.call_id, last.name, last.arguments + delta["toolUse"]["input"]))
        self._stop = piece.get("messageStop", {}).get("stopReason", self._stop)
        self.used = piece.get("metadata", {}).get("usage", self.used)
        self._text.append(delta.get("text", ""))
        return self._text[-1]

    def message(self) -> AssistantSaid:
        """The whole of it."""
        if self._stop is None:
            raise ModelFailed("The model broke off.")
        calls = tuple(ToolCall(call.call_id, call.name, call.arguments or "{}") for call in self._calls)
        return AssistantSaid("".join(self._text), calls, FINISHES.get(self._stop, Finish.OTHER))


def _to_converse(messages: list[Message]) -> list[Json]:
    """Converse takes roles in turns, no blank text, and each call's result at once behind it."""
    turns: list[Json] = []
    for message in messages:
        role = "assistant" if isinstance(message, AssistantSaid) else "user"
        blocks = _blocks(message)
        if blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message) -> list[Json]:
    if isinstance(message, ToolAnswered):
        result = {"toolUseId": message.call_id, "content": [{"text": message.content.strip() or "(nothing)"}]}
        return [{"toolResult": result}]
    text = [{"text": message.text}] if message.text.strip() else []
    calls = message.calls if isinstance(message, AssistantSaid) else ()
    uses = ({"toolUseId": call.call_id, "name": call.name, "input": json.loads(call.arguments)} for call in calls)
    return [*text, *({"toolUse": use} for use in uses)]


def _open_calls(said: list[Message]) -> list[ToolCall]:
    answered = {message.call_id for message in said if isinstance(message, ToolAnswered)}
    calls = [call for message in said if isinstance(message, AssistantSaid) for call in message.calls]
    return [call for call in calls if call.call_id not in answered]


def _carried_out(call: ToolCall, arguments: Json) -> ToolAnswered:
    if call.name != "ferry":
        return ToolAnswered(call.call_id, call.name, "There is no such tool.", ToolOutcome.ERROR)
    try:
        return ToolAnswered(call.call_id, call.name, ferry(**arguments))
    except TypeError as error:  # the model has left a parameter out, or invented one
        return ToolAnswered(call.call_id, call.name, str(error), ToolOutcome.ERROR)


agent = Converse
