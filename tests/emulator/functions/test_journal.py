"""What an environment says, in plain text for the developer and in the function's format for the caller."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.emulator.functions.support import Log, answer, function, running


async def test_a_caller_gets_the_log_it_asked_for(tmp_path: Path) -> None:
    """START, own lines, END, REPORT; nothing without asking, nothing of another invocation."""
    source = "def handler(event, context):\n    print('own', event)"
    async with running(function(tmp_path, source)) as service:
        assert (await service.invoke("fn", b"1")).log == b""
        call = await service.invoke("fn", b"2", tail=True)
    lines = call.log.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["START", "own", "END", "REPORT"]
    assert lines[1] == "own 2"


async def test_with_the_json_format_the_caller_gets_objects_and_the_developer_text(tmp_path: Path) -> None:
    """platform.start and platform.report for one, START and REPORT for the other."""
    spec = replace(function(tmp_path, "def handler(event, context): ..."), log_format="JSON")
    log = Log()
    async with running(spec, log=log) as service:
        call = await service.invoke("fn", b"1", tail=True)
    start, report = map(json.loads, call.log.decode().splitlines())
    assert (start["type"], start["record"]) == (
        "platform.start",
        {"requestId": call.request_id, "version": "$LATEST"},
    )
    assert (report["type"], report["record"]["status"]) == ("platform.report", "success")
    assert report["record"]["metrics"]["initDurationMs"] > 0
    assert [text.split()[0] for text in log.texts] == ["START", "END", "REPORT"]


@pytest.mark.parametrize(
    ("source", "phases", "said"),
    [
        ("import no_such_module", ["init", "invoke"], "Status: error\tError Type: Runtime.ImportModuleError"),
        ("import os\nos._exit(3)", ["init", "invoke"], "Status: error\tError Type: Runtime.ExitError"),
    ],
)
async def test_an_init_that_failed_is_reported_and_so_is_its_invocation(
    tmp_path: Path, source: str, phases: list[str], said: str
) -> None:
    """INIT_REPORT for the init phase and for its repetition, then START, END and REPORT of the invocation."""
    log = Log()
    async with running(function(tmp_path, source), log=log) as service:
        call = await service.invoke("fn", b"{}", tail=True)
    platform = [line.text for line in log if line.source == "platform"]
    reports = [text for text in platform if text.startswith("INIT_REPORT")]
    assert [f"Phase: {phase}\t{said}" in text for phase, text in zip(phases, reports, strict=True)] == [True, True]
    assert [text.split()[0] for text in platform[-3:]] == ["START", "END", "REPORT"]
    assert call.log.decode().splitlines()[-1].endswith(said)


async def test_a_client_context_reaches_the_function(tmp_path: Path) -> None:
    """As JSON."""
    source = "def handler(event, context):\n    return context.client_context.custom"
    async with running(function(tmp_path, source)) as service:
        assert answer(await service.invoke("fn", b"1", client_context='{"custom": {"a": 1}}')) == {"a": 1}
