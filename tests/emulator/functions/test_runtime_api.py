"""The Runtime API as a function sees it: each handler here asks its own environment's port with hand-written HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.emulator.functions.support import answer, function, running

_ASK = """
import os, socket

def ask(request, pieces=1):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        size = -(-len(request) // pieces)
        for start in range(0, len(request), size):
            client.sendall(request[start:start + size])
        return client.recv(65536).decode()

def post(path, body, *headers):
    lines = [f"POST /2018-06-01/runtime/{path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\\r\\n".join(lines).encode() + body
"""


async def asked(folder: Path, expression: str) -> str:
    async with running(function(folder, f"{_ASK}\ndef handler(event, context):\n    return {expression}\n")) as service:
        return str(answer(await service.invoke("fn", b"{}")))


async def test_an_unknown_path_is_not_found(tmp_path: Path) -> None:
    """The API has no other resources."""
    assert (await asked(tmp_path, 'ask(post("other", b""))')).startswith("HTTP/1.1 404 ")


async def test_a_response_to_another_invocation_is_refused(tmp_path: Path) -> None:
    """A request id that is not the present one gets 400 and InvalidRequestID."""
    said = await asked(tmp_path, 'ask(post("invocation/other/response", b"1"))')
    assert said.startswith("HTTP/1.1 400 ")
    assert "InvalidRequestID" in said


async def test_a_request_may_come_in_pieces(tmp_path: Path) -> None:
    """Where the bytes are cut does not matter."""
    said = await asked(tmp_path, 'ask(post("invocation/other/response", b"1" * 100), pieces=20)')
    assert "InvalidRequestID" in said


async def test_a_client_that_asks_first_may_go_on(tmp_path: Path) -> None:
    """Expect: 100-continue is answered before the body has come."""
    head = 'post("invocation/other/response", b"1", "Expect: 100-continue")[:-1]'
    assert await asked(tmp_path, f"ask({head})") == "HTTP/1.1 100 Continue\r\n\r\n"


async def test_what_is_no_http_is_a_bad_request(tmp_path: Path) -> None:
    """It ends the connection, not the environment."""
    assert (await asked(tmp_path, 'ask(b"hello?\\r\\n\\r\\n")')).startswith("HTTP/1.1 400 ")
