"""Each model adapter whose provider is a server."""

from typing import Final

from tests.contract.anthropic_adapter import Anthropic
from tests.contract.azure_adapter import Azure, AzureVersion1
from tests.contract.google_adapter import Google
from tests.contract.model_adapters import Adapter, Bedrock, OpenAI

ADAPTERS: Final[tuple[Adapter, ...]] = (Bedrock(), OpenAI(), Azure(), AzureVersion1(), Anthropic(), Google())
