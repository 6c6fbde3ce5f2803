"""What Amazon Bedrock's ConverseStream puts on the wire.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from tests.contract.event_stream import CONTENT_TYPE, event
from tests.contract.scripted_model import Step, Streamed

START: Final = event("messageStart", {"role": "assistant"})


def text(*pieces: str, block: int = 0) -> Iterator[bytes]:
    """A whole block of text."""
    for piece in pieces:
        yield delta({"text": piece}, block)
    yield stop_block(block)


def delta(value: JsonValue, block: int = 0) -> bytes:
    """A piece of a block."""
    return event("contentBlockDelta", {"contentBlockIndex": block, "delta": value})


def stop_block(block: int = 0) -> bytes:
    """The end of a block."""
    return event("contentBlockStop", {"contentBlockIndex": block})


def tool_use(name: str, *arguments: str, call_id: str = "tooluse_1", block: int = 1) -> Iterator[bytes]:
    """A whole tool call; its arguments come in these pieces."""
    start: JsonValue = {"toolUse": {"toolUseId": call_id, "name": name}}
    yield event("contentBlockStart", {"contentBlockIndex": block, "start": start})
    for piece in arguments:
        yield delta({"toolUse": {"input": piece}}, block)
    yield stop_block(block)


def stop(reason: str) -> bytes:
    """The end of the message."""
    return event("messageStop", {"stopReason": reason})


def counted(input_tokens: int, output_tokens: int) -> bytes:
    """What was used."""
    used: JsonValue = {
        "inputTokens": input_tokens, "outputTokens": output_tokens, "totalTokens": input_tokens + output_tokens,
    }  # fmt: skip
    return event("metadata", {"usage": used, "metrics": {"latencyMs": 1}})


def stream(*steps: Step) -> Streamed:
    """An answer of just these pieces."""
    return Streamed(CONTENT_TYPE, steps)


def says(*pieces: str, reason: str = "end_turn") -> Streamed:
    """A whole response with this text."""
    return stream(START, *text(*pieces), stop(reason), counted(10, 5))


def calls(name: str, *arguments: str, call_id: str = "tooluse_1") -> Streamed:
    """A whole response that asks for one tool call."""
    return stream(START, *tool_use(name, *arguments, call_id=call_id, block=0), stop("tool_use"), counted(10, 5))
