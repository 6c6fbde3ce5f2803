"""What `make run` gives the engine of the developer's environment."""

from pathlib import Path

import pytest

from scripts.run import command, context_claims, engine_variables


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with AWS's own files: a default profile, and another with a region."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\n[profile work]\nregion = eu-west-3\nsso_session = s\n")
    return tmp_path


def test_only_what_models_need_is_given(tmp_path: Path) -> None:
    """Of all that a shell and `.env` hold, the engine gets the names that are documented; the shell stands over the
    file, and what is empty counts as not there."""
    shell = {"OPENAI_API_KEY": "shell", "MODEL": "", "GITHUB_TOKEN": "x", "PATH": "/bin"}
    dotenv = {"OPENAI_API_KEY": "file", "MODEL": "openai:gpt", "STRIPE_KEY": "y"}
    assert engine_variables(shell, dotenv, tmp_path) == {"OPENAI_API_KEY": "shell", "MODEL": "openai:gpt"}


def test_aws_keys_of_the_shell_are_bedrocks(home: Path) -> None:
    """They are given under other names, so that nothing else is asked with them; Bedrock is asked itself."""
    shell = {
        "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_REGION": "us-west-2",
    }  # fmt: skip
    assert engine_variables(shell, {}, home) == {
        "BEDROCK_ACCESS_KEY_ID": "AKIA",
        "BEDROCK_SECRET_ACCESS_KEY": "s",
        "BEDROCK_SESSION_TOKEN": "t",
        "BEDROCK_REGION": "us-west-2",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "https://bedrock-runtime.us-west-2.amazonaws.com",
    }


@pytest.mark.parametrize(
    ("shell", "profile", "region"),
    [
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, "default", "eu-central-1"),
        ({"AWS_PROFILE": "work", "AWS_DEFAULT_REGION": "eu-central-1"}, "work", "eu-west-3"),
        ({"AWS_PROFILE": "work", "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "A"}, "work", "us-west-2"),
    ],
)
def test_a_profile_of_the_developers(home: Path, shell: dict[str, str], profile: str, region: str) -> None:
    """The named one, else the default; with the files in which the engine finds it."""
    told = engine_variables(shell, {}, home)
    assert (told["BEDROCK_PROFILE"], told["BEDROCK_REGION"]) == (profile, region)
    assert told["AWS_CONFIG_FILE"] == str(home / ".aws/config")
    assert "BEDROCK_ACCESS_KEY_ID" not in told


def test_without_aws_there_is_nothing_of_it(tmp_path: Path) -> None:
    """A home without AWS's files has no default profile."""
    assert "BEDROCK_PROFILE" not in engine_variables({}, {}, tmp_path)


def test_a_proxy_is_not_asked_for_this_machine(tmp_path: Path) -> None:
    """The models lie behind it, and the emulator does not."""
    told = engine_variables({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "corp"}, {}, tmp_path)
    assert told == {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "corp,127.0.0.1,localhost"}


def test_no_value_stands_in_the_command_line() -> None:
    """Others on the machine can read it; the model's name may."""
    line = command({"MODEL": "openai:gpt", "OPENAI_API_KEY": "the-key"}, ["--port", "0"])
    assert "the-key" not in " ".join(line)
    assert "EngineFunction=OPENAI_API_KEY" in line
    assert "Model=openai:gpt" in line


def test_claims_are_chosen_as_on_aws() -> None:
    """By the template's parameter, which takes no blanks; the shell stands over the file."""
    assert context_claims({}, {}) == ""
    assert context_claims({}, {"CONTEXT_CLAIMS": "email, groups"}) == "email,groups"
    claims = context_claims({"CONTEXT_CLAIMS": "email"}, {"CONTEXT_CLAIMS": "groups"})
    assert "ContextClaims=email" in command({}, [], claims=claims)
