"""`make run`, up to the emulator's start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(home: Path, **shell: str) -> subprocess.CompletedProcess[str]:
    """`make run` up to the emulator's own help, in a shell with these variables."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": "layers/dayfly:.",
        "DOTENV_FILE": str(home / ".env"),
        **shell,
    }
    return subprocess.run(
        [sys.executable, "-m", "scripts.run", "--help"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ({"MODEL": "nonsense:x"}, "model 'nonsense:x': there is no such provider"),
        ({"MODEL": "openai:"}, "the model's id is missing"),
        ({"MODEL": "openai:gpt"}, "set OPENAI_API_KEY"),
        ({"MODEL": "openai:gpt", "MODEL_BASE_URL": "localhost:1"}, "not 'localhost:1'"),
        ({"MODEL": "bedrock:x"}, "there are no AWS credentials"),
        ({"MODEL_SETTINGS": '{"temperature": 9}'}, "MODEL_SETTINGS: the model's setting temperature"),
    ],
    ids=lambda one: one.get("MODEL", "settings") if isinstance(one, dict) else "",
)
def test_what_cannot_work_is_told_at_the_start(tmp_path: Path, shell: dict[str, str], said: str) -> None:
    """In one line, and nothing is started."""
    done = run(tmp_path, **shell)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert done.stdout == ""


def test_what_can_work_starts_the_emulator(tmp_path: Path) -> None:
    """A key that nobody has asked yet is as good as a right one."""
    done = run(tmp_path, MODEL="anthropic:claude-opus-4-6", ANTHROPIC_API_KEY="k")
    assert (done.returncode, done.stderr) == (0, "")
    assert "python -m emulator" in done.stdout


def test_a_file_stands_in_for_the_shell(tmp_path: Path) -> None:
    """`.env` names the model and its key."""
    (tmp_path / ".env").write_text("MODEL=google:gemini-2.5-flash\n")
    assert "GEMINI_API_KEY" in run(tmp_path).stderr
    (tmp_path / ".env").write_text("MODEL=google:gemini-2.5-flash\nGEMINI_API_KEY=k\n")
    assert run(tmp_path).returncode == 0
    (tmp_path / ".env").write_text("a key\n")
    assert run(tmp_path).stderr == ".env, line 1: not NAME=value\n"
