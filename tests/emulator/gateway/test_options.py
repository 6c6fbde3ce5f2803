"""The command line's options."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.options import Options, parse


def test_without_arguments_the_defaults_hold() -> None:
    """The template here, port 3001 on loopback, no page of anybody's."""
    options = parse([])
    assert options == Options()
    assert (options.template, options.host, options.port) == (Path("template.yaml"), "127.0.0.1", 3001)
    assert options.page is None


def test_every_option_is_read() -> None:
    """Pairs may come in one option or in several; values may hold `=`."""
    line = (
        "--port 0 --env A=1 B=x=y --env C= --parameter-overrides P=1 --limit idle_timeout=2.5 frame_bytes=100"
        " --schedule-every 1.5 --audience me --tls-port 4001 --page web/dist --exit-with 4711"
    )
    options = parse(line.split())
    assert options.environment == {"A": "1", "B": "x=y", "C": ""}
    assert options.parameters == {"P": "1"}
    assert (options.limits.gateway.idle_timeout, options.limits.gateway.frame_bytes) == (2.5, 100)
    assert (options.port, options.schedule_every, options.audience) == (0, 1.5, "me")
    assert (options.tls_port, Options().tls_port) == (4001, 0)
    assert (options.page, options.exit_with) == (Path("web/dist"), 4711)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env", "A"],
        ["--exit-with", "1"],
        ["--limit", "speed=1"],
        ["--limit", "idle_timeout=x"],
        ["--limit", "idle_timeout=0"],
    ],
)
def test_a_wrong_option_ends_with_a_usage_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the wrong word in the message."""
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert arguments[1].partition("=")[0] in capsys.readouterr().err
