"""An emulator whose agents ask model servers that the tests script."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contract.scripted_model import ScriptedModel, scripted_model
from tests.live.kit.chat import Chat
from tests.live.kit.emulator import MODEL_AGENTS, ROOT, SHARED, EmulatorProcess, chatting, project

OPENAI = "scripted"
"""The agent that asks `Modelled.openai`."""
BEDROCK = "converse"
"""The agent that asks `Modelled.bedrock`."""

PORT = "port"
"""The example of a loop over boto3, which asks `Modelled.bedrock`."""


@dataclass(frozen=True, slots=True)
class Modelled:
    """The emulator, and what its agents' models answer."""

    emulator: EmulatorProcess
    openai: ScriptedModel
    bedrock: ScriptedModel

    def chat(self, user: str) -> Chat:
        """A socket of this user."""
        return Chat(self.emulator.url, user)


@contextmanager
def modelled(folder: Path, *overrides: str) -> Iterator[Modelled]:
    """An emulator for a block. `overrides` are further parameters of its template."""
    with scripted_model() as openai, scripted_model() as bedrock:
        template = project(folder, agents=MODEL_AGENTS)
        shutil.copy(ROOT / "examples/agents/converse.py", folder / f"functions/engine/agents/{PORT}.py")
        with chatting(
            template,
            *("--env", f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME={bedrock.url}"),
            *("--schedule-every", "1"),
            *(*SHARED, "Model=openai:scripted", f"ModelBaseUrl={openai.url}/v1", *overrides),
        ) as emulator:
            yield Modelled(emulator, openai, bedrock)
