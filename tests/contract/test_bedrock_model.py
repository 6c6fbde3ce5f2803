"""What is particular to `MODEL=bedrock:…`."""

from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.sdk.testing import ask
from tests.contract.model_adapters import Bedrock, Response


async def test_instructions_are_the_system_prompt() -> None:
    """They are no message of the conversation."""
    adapter = Bedrock()
    async with adapter.serve(Response(text=("Hi.",))) as (models, server):
        await ask(AgentDefinition(instructions="Answer briefly."), "Hello", model=adapter.setting, models=models)
    body = server.requests[0].json()
    assert body["system"] == [{"text": "Answer briefly."}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hello"}]}]
