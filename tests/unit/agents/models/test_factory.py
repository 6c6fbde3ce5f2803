"""The `MODEL` setting."""

import subprocess
import sys

import pytest

from dayfly.agents.models.factory import Models, needs_bedrock
from dayfly.errors import ConfigurationError


@pytest.mark.parametrize("setting", ["", "gpt-5", "demo:x", "bedrock", "bedrock:", "openai: ", "Demo", "azure:x"])
def test_an_unknown_setting_is_refused(setting: str) -> None:
    """The error says what there is."""
    with pytest.raises(ConfigurationError, match="bedrock:<model id>"):
        Models()(setting)


def test_what_a_model_needs_must_be_there() -> None:
    """No client, or no key: refused at start, not in the first run."""
    with pytest.raises(ConfigurationError, match="no Bedrock client"):
        Models()("bedrock:some-model")
    with pytest.raises(ConfigurationError, match="no key"):
        Models()("openai:some-model")


async def test_the_demo_model_opens() -> None:
    """It needs nothing."""
    async with Models()("demo")() as model:
        assert model.model_name == "demo"


def test_what_a_setting_needs() -> None:
    """So that the composition root makes a client only where one is needed."""
    assert (needs_bedrock("bedrock:x"), needs_bedrock("openai:x")) == (True, False)


def test_only_the_chosen_providers_client_is_loaded() -> None:
    """The demo model loads neither OpenAI's client nor boto3, which a cold start would pay for."""
    code = (
        "import sys\n"
        "from dayfly.agents.catalogue import Catalogue\n"
        "from dayfly.agents.sdk.definition import AgentDefinition\n"
        "from dayfly.agents.models.factory import Models\n"
        "Catalogue({'a': AgentDefinition(instructions='Help.')}, models=Models(), model='demo')\n"
        "print(*sorted({'openai', 'boto3', 'botocore'} & set(sys.modules)))"
    )
    path = [entry for entry in sys.path if entry]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {path!r}\n{code}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert run.stdout.split() == []
