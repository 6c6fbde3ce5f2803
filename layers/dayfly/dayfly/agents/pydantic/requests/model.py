"""A model that is given only what its provider takes: each request of the loop passes here."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from pydantic_ai import RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_core import to_json

from dayfly.agents.pydantic.requests.messages import folded, request_messages
from dayfly.agents.pydantic.requests.rules import DEFAULT_WINDOW, provider_of, rules_for
from dayfly.agents.pydantic.requests.size import BYTES_PER_TOKEN

ANSWER_TOKENS: Final = 16_384
"""What is kept free for the answer, where no setting says how long it may be; of a small window a quarter."""
LEAST_SHARE: Final = 8
"""The messages have this part of the window, however long instructions and tools are."""


class RequestModel(WrapperModel):
    """Asks another model, with messages as `request_messages` makes them. For one attempt's loop.

    Args:
        wrapped: The provider's model.
        shrink: How often the messages are halved: once more for each time that the provider has refused a request for
            its length.
    """

    def __init__(self, wrapped: Model, *, shrink: int = 0) -> None:
        super().__init__(wrapped)
        self._rules = rules_for(wrapped)
        self._asked = provider_of(wrapped)
        self._shrink = shrink

    def prepare_messages(
        self, messages: list[ModelMessage], model_request_parameters: ModelRequestParameters | None = None
    ) -> list[ModelMessage]:
        """The messages of one request. The library's own history stays as it is."""
        parameters = model_request_parameters or ModelRequestParameters()
        fitting = request_messages(
            messages,
            self._rules,
            provider=self._asked,
            tools=bool(parameters.tool_defs),
            room=self.room_for_messages(parameters),
            shrink=self._shrink,
        )
        return folded(super().prepare_messages(fitting, model_request_parameters))

    def room_for_messages(self, parameters: ModelRequestParameters) -> int:
        """Tokens that the messages of a request may take, by estimate: what the model holds, without the answer, the
        instructions and the tools."""
        window = self.context_window or DEFAULT_WINDOW
        answer = (self.settings or {}).get("max_tokens") or ANSWER_TOKENS
        beside = len(to_json([parameters.instruction_parts, parameters.tool_defs], fallback=str)) // BYTES_PER_TOKEN
        return max(window - min(answer, window // 4) - beside, window // LEAST_SHARE)

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """See `Model.request`."""
        return await super().request(messages, model_settings, self._with_one_system(model_request_parameters))

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """See `Model.request_stream`."""
        parameters = self._with_one_system(model_request_parameters)
        async with super().request_stream(messages, model_settings, parameters, run_context) as stream:
            yield stream

    def _with_one_system(self, parameters: ModelRequestParameters) -> ModelRequestParameters:
        """The parameters with all instructions in one part: `system` stands once."""
        parts = parameters.instruction_parts or []
        if len(parts) < 2 or not self._rules.alternates:
            return parameters
        whole = replace(parts[0], content="\n\n".join(part.content for part in parts))
        return replace(parameters, instruction_parts=[whole])
