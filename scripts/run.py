"""What `make run` does: look whether the engine can start, then become the emulator.

    python -m scripts.run [options of the emulator]

Models' keys and settings come from the environment, and where that has none from `.env`. The engine alone is given
them; AWS credentials too, for Bedrock, which is asked itself while all else of AWS is played here.
"""

import configparser
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from dayfly.aws.dotenv import parse_dotenv
from dayfly.errors import ConfigurationError

ROOT: Final = Path(__file__).resolve().parent.parent
ENGINE: Final = "EngineFunction"
CLAIMS: Final = "CONTEXT_CLAIMS"

NAMES: Final = (
    "MODEL",
    "MODEL_SETTINGS",
    "MODEL_BASE_URL",
    "MODEL_API_VERSION",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
    "OPENAI_API_VERSION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "BEDROCK_REGION",
    "HTTPS_PROXY",
)
"""What the engine is given as it is."""

_KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "BEDROCK_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY": "BEDROCK_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN": "BEDROCK_SESSION_TOKEN",
}
"""AWS credentials by the names under which Bedrock alone is asked with them."""

_LAYERS: Final = "openai,anthropic,google"
"""All models' clients are installed here, so any agent may name its own model."""


def local_variables(shell: Mapping[str, str]) -> dict[str, str]:
    """The variables of `.env`, or of the file that `DOTENV_FILE` names; none where there is no file.

    Raises:
        ConfigurationError, OSError, UnicodeDecodeError: It cannot be read.
    """
    file = Path(shell.get("DOTENV_FILE") or ROOT / ".env")
    return parse_dotenv(file.read_text("utf-8-sig")) if file.is_file() else {}


def engine_variables(shell: Mapping[str, str], dotenv: Mapping[str, str], home: Path) -> dict[str, str]:
    """What the engine is given of the developer's environment and `.env`; what is empty counts as not there."""
    given = {name: value for source in (dotenv, shell) for name, value in source.items() if value}
    told: dict[str, str] = {name: given[name] for name in NAMES if name in given}
    told |= _credentials(given, home)
    if "BEDROCK_REGION" not in told and (region := _region(given, told)):
        told["BEDROCK_REGION"] = region
    # Else the emulator's own address would be asked, which plays no models.
    if region := told.get("BEDROCK_REGION"):
        told.setdefault("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"https://bedrock-runtime.{region}.amazonaws.com")
    if "HTTPS_PROXY" in told:
        told["NO_PROXY"] = ",".join(filter(None, (given.get("NO_PROXY"), "127.0.0.1", "localhost")))
    return told


def _credentials(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """Keys of the environment, else the profile that it names, else the default one, as AWS's own tools choose."""
    profile = given.get("AWS_PROFILE")
    if profile is None and {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= given.keys():
        return {told: given[name] for name, told in _KEYS.items() if name in given}
    files = {
        "AWS_CONFIG_FILE": given.get("AWS_CONFIG_FILE", str(home / ".aws/config")),
        "AWS_SHARED_CREDENTIALS_FILE": given.get("AWS_SHARED_CREDENTIALS_FILE", str(home / ".aws/credentials")),
    }
    if profile is None and "default" not in _profiles(files.values()):
        return {}
    return {**files, "BEDROCK_PROFILE": profile or "default"}


def _region(given: Mapping[str, str], told: Mapping[str, str]) -> str | None:
    """`AWS_REGION`, else the profile's, else `AWS_DEFAULT_REGION`, which the Makefile sets for all else."""
    profile = _profiles([told["AWS_CONFIG_FILE"]]).get(told["BEDROCK_PROFILE"]) if "BEDROCK_PROFILE" in told else None
    return given.get("AWS_REGION") or (profile or {}).get("region") or given.get("AWS_DEFAULT_REGION")


def _profiles(files: Iterable[str]) -> dict[str, dict[str, str]]:
    read = configparser.ConfigParser(default_section="", interpolation=None, strict=False)
    read.read([Path(file).expanduser() for file in files], "utf-8")
    return {name.removeprefix("profile ").strip(): dict(read[name]) for name in read.sections()}


def check(told: Mapping[str, str], shell: Mapping[str, str]) -> bool:
    """Whether the engine could start. If not, the reason is on stderr."""
    kept = {name: shell[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE") if name in shell}
    folders = (ROOT / "layers/dayfly", ROOT / "functions/engine", ROOT)
    environment = {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **told,
    }
    program = [sys.executable, "-m", "scripts.check_agents"]
    done = subprocess.run(program, env=environment, cwd=ROOT, check=False)  # noqa: S603  our own program
    return done.returncode == 0


def context_claims(shell: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    """The names of the claims that agents may know: the template's `ContextClaims`, which has no blanks."""
    return "".join((shell.get(CLAIMS) or dotenv.get(CLAIMS, "")).split())


def command(told: Mapping[str, str], arguments: Sequence[str], *, claims: str = "") -> list[str]:
    """The emulator's command line. A variable is named in it, and its value is not: other users see command lines."""
    passed = [f"{ENGINE}={name}" for name in told]
    chosen = [f"Model={told.get('MODEL', 'demo')}", f"AgentModels={_LAYERS}", f"ContextClaims={claims}"]
    given = ["--parameter-overrides", *chosen, *(["--pass", *passed] if passed else [])]
    return [sys.executable, "-m", "emulator", *given, *arguments]


def main(arguments: Sequence[str]) -> None:
    """Check, then replace this process by the emulator; it ends with 1 where the engine could not start."""
    try:
        local = local_variables(os.environ)
        told = engine_variables(os.environ, local, Path.home())
    except (ConfigurationError, OSError, UnicodeDecodeError) as error:
        sys.exit(str(error))
    if not check(told, os.environ):
        sys.exit(1)
    line = command(told, arguments, claims=context_claims(os.environ, local))
    os.execve(sys.executable, line, {**os.environ, **told})  # noqa: S606  in this process's place


if __name__ == "__main__":
    main(sys.argv[1:])
