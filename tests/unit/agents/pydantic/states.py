"""Responses with what their providers want back, as the agent would keep them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from dayfly.agents.pydantic.requests.provider_state import state_of
from dayfly.agents.pydantic.requests.tool_call_ids import Origin
from dayfly.log.messages import AssistantSaid

SERVER: Final = "openai-compatible server.test/v1"
PROVIDERS: Final[Sequence[str]] = ("bedrock", "openai", SERVER, "anthropic", "google", "nobody")
DETAILS: Final = {"extra_content": {"google": {"thought_signature": "c2ln"}}, "thought_signature": "c2ln"}
_FIELDS: Final = {"openai": "reasoning_content", SERVER: "reasoning_content"}


def state_for(provider: str, said: AssistantSaid, *, signed: bool = True) -> AssistantSaid:
    """The same response as this provider would have given it: with ids of its own, and (`signed`) with reasoning,
    and signatures beside its calls."""
    name = provider.partition(" ")[0]
    parts: list[ModelResponsePart] = []
    if signed:
        field = _FIELDS.get(provider)
        parts.append(ThinkingPart("Hm.", id=field, signature=None if field else "c2ln", provider_name=name))
    parts += [TextPart(said.text)] if said.text else []
    for call in said.calls:
        parts.append(
            ToolCallPart(
                call.name,
                call.arguments,
                call.call_id,
                provider_name=name,
                provider_details=DETAILS if signed else None,
            )
        )
    ids = {call.call_id: f"call_{place}" for place, call in enumerate(said.calls)}
    response = Origin(provider, ids).noted_in(ModelResponse(parts, provider_name=name))
    return replace(said, state=state_of(response))
