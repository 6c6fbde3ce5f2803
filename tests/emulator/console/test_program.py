"""What a developer sees while the emulator runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import ClientSession
from websockets.asyncio.client import connect

from tests.emulator.console.program import ECHO, application, running

SLOW = """
import time
import boto3

connections = boto3.client("apigatewaymanagementapi")

def handler(event, context):
    if event["body"] == "slow":
        time.sleep(1)
    print("said", event["body"])
    answer = "VERSION " + event["body"]
    connections.post_to_connection(ConnectionId=event["requestContext"]["connectionId"], Data=answer)
    return {"statusCode": 200}
"""


async def test_the_banner_names_addresses_routes_and_functions(tmp_path: Path) -> None:
    """Page, WebSocket, `@connections`, Invoke and faults; route and function; figures; table; no colours in a pipe."""
    async with running(application(tmp_path)) as emulator:
        await emulator.line("Ready in")
        text = "\n".join(emulator.lines)
        for part in (
            f"  page       {emulator.url}/\n",
            f"  websocket  {emulator.websocket}\n",
            "    $default -> Echo\n",
            f"  post       {emulator.url}/live/@connections/{{connectionId}}\n",
            "  domainName 127.0.0.1:",
            f"  invoke     {emulator.url}/2015-03-31/functions/{{name}}/invocations\n",
            f"  faults     {emulator.url}/_emulator/faults\n",
            "  function   Echo   10 s   128 MB\n",
            "  table      notes\n",
            "  not supported: AWS::IAM::Role",
        ):
            assert part in text
        assert "\x1b" not in text


async def test_the_page_is_the_applications_choice(tmp_path: Path) -> None:
    """Without `--page` the address names the sockets in plain text, with nothing below; with it a folder is there."""
    template = application(tmp_path / "application")
    (tmp_path / "index.html").write_text("<p>mine")
    async with running(template) as emulator, ClientSession() as http:
        async with http.get(emulator.url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            assert emulator.websocket in (await answer.text()).splitlines()
        async with http.get(f"{emulator.url}/index.html") as answer:
            assert answer.status == 404
    async with (
        running(template, "--page", str(tmp_path)) as emulator,
        ClientSession() as http,
        http.get(emulator.url) as answer,
    ):
        assert (answer.status, await answer.text()) == (200, "<p>mine")


async def test_an_invocation_is_one_line(tmp_path: Path) -> None:
    """With its figures; what the function printed stands before it; colours where they are asked for."""
    async with running(application(tmp_path, SLOW), environment={"FORCE_COLOR": "1"}) as emulator:
        async with connect(emulator.websocket) as client:
            await client.send("hello")
            assert await client.recv() == "VERSION hello"
        await emulator.line(r"\x1b\[36mEcho\x1b\[0m \| said hello$")
        await emulator.line(r"\x1b\[36mEcho\x1b\[0m ok +\d+\.\d ms +\d+/128 MB .*cold start \d+ ms$")
        assert not any("START RequestId" in line for line in emulator.lines)


async def test_every_line_of_json_logs_is_json(tmp_path: Path) -> None:
    """Start, banner, connects, messages, a reload, a broken source and the end; figures of the invocation included."""
    template = application(tmp_path, SLOW)
    async with running(template, "--json-logs") as emulator, connect(emulator.websocket) as client:
        await client.send("hello")
        await client.recv()
        (tmp_path / "src" / "more.py").write_text("def x(:")
        await emulator.line("more.py:1: syntax error")
        template.write_text(template.read_text() + "\n# changed\n")
        await emulator.line("template.yaml changed")
    lines = [json.loads(line) for line in emulator.lines]
    assert all({"timestamp", "level", "kind", "message"} <= line.keys() for line in lines)
    assert {"ready", "emulator", "platform", "log", "invocation", "notice"} == {line["kind"] for line in lines}
    [ready] = [line for line in lines if line["kind"] == "ready"]
    assert ready["websockets"][0]["routes"] == [{"route": "$default", "function": "Echo", "authorizer": None}]
    [over] = [line for line in lines if line["kind"] == "invocation"]
    assert over["outcome"] == "ok"
    assert over["duration_ms"] > 0
    assert over["init_ms"] > 0
    assert over["memory_mb"] > 0


async def _seconds_until(send: Callable[[], object], seen: Callable[[], object], wanted: str) -> float:
    """Ask again and again until the answer is the wanted one."""
    began = time.monotonic()
    async with asyncio.timeout(20):
        while True:
            await send()  # type: ignore[misc]  # a coroutine function
            if await seen() == wanted:  # type: ignore[misc]
                return time.monotonic() - began


async def test_saved_code_answers_on_the_socket_that_is_open(tmp_path: Path) -> None:
    """The next message of the same socket meets the new code (goal: within 1 s); what runs is not broken off."""
    source = tmp_path / "src" / "app.py"
    async with running(application(tmp_path, SLOW)) as emulator, connect(emulator.websocket) as client:
        await client.send("hello")
        assert await client.recv() == "VERSION hello"

        await client.send("slow")
        await asyncio.sleep(0.3)
        source.write_text(SLOW.replace("VERSION", "NEWER"))
        await emulator.line(r"Echo reloaded: app.py changed$")
        assert await client.recv() == "VERSION slow"

        await client.send("hello")
        assert await client.recv() == "NEWER hello"

        source.write_text(SLOW.replace("VERSION", "NEWEST"))
        taken = await _seconds_until(lambda: client.send("hello"), client.recv, "NEWEST hello")
        assert taken < 10
        print(f"saved code answered after {taken:.2f} s")


async def test_a_broken_save_is_told_and_mended(tmp_path: Path) -> None:
    """File and line at the save; the next good save serves on the same socket."""
    source = tmp_path / "src" / "app.py"
    async with running(application(tmp_path)) as emulator, connect(emulator.websocket) as client:
        source.write_text("def handler(event, context)\n    pass\n")
        await emulator.line(rf"Echo {source}:1: syntax error: expected ':'")
        await client.send("hello")
        assert "Internal server error" in str(await client.recv())
        source.write_text(ECHO)
        taken = await _seconds_until(lambda: client.send("hello"), client.recv, "hello")
        assert taken < 10


async def test_a_changed_template_needs_a_restart(tmp_path: Path) -> None:
    """Told in a line when its text has changed, however an editor saves it; not for a touch."""
    template = application(tmp_path)
    async with running(template) as emulator:
        await emulator.line("Ready in")
        template.touch()
        other = tmp_path / "template.new"
        other.write_text(template.read_text() + "\n# changed\n")
        other.replace(template)
        await emulator.line(r"template.yaml changed: end the emulator and start it again")
        assert sum("template.yaml changed" in line for line in emulator.lines) == 1
