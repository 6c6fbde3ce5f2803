"""Fetches a JSON object from an issuer, within bounds of time and size."""

import json
import time
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import IO, Any, Final
from urllib.parse import urlsplit

from dayfly.errors import ConfigurationError, DayflyError

USER_AGENT: Final = "dayfly/0.1"
"""Said in place of the library's own, which firewalls know from scripts and refuse."""
MAX_BYTES: Final = 512 * 1024
MAX_REDIRECTS: Final = 3
_TIMEOUT_S: Final = 3.0
"""For how long the issuer may be silent."""
_TOTAL_S: Final = 4.0
"""For how long its answer may take to come: API Gateway waits 10 s for its authorizer, which may fetch two of them."""
_PIECE: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class KeysUnavailable(DayflyError):
    """The issuer's keys could not be had, so no token can be judged: neither good nor bad."""


def require_secure(url: str) -> None:
    """Raises `ConfigurationError` unless the URL is https, or http to this very machine (the development issuer)."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if is_loopback(url):
        return
    raise ConfigurationError(f"keys are fetched over https, or over http from loopback, not from {url!r}")


def is_loopback(url: str) -> bool:
    """Whether it is http to this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def fetch_json(url: str) -> Mapping[str, Any]:
    """The object at this address. Raises `KeysUnavailable`."""
    direct = (urllib.request.ProxyHandler({}),) if urlsplit(url).hostname in _LOOPBACK else ()
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  the caller has seen to its scheme
    try:
        with urllib.request.build_opener(_SecureRedirects(), *direct).open(request, timeout=_TIMEOUT_S) as answer:
            body = json.loads(_read(answer))  # in UTF-8, -16 or -32, with or without a byte order mark
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"{urlsplit(url).path}: {_reason(error)}") from error
    if not isinstance(body, dict):
        raise KeysUnavailable(f"{urlsplit(url).path} is no JSON object")
    return body


class _TooLong(ValueError):
    """The answer is longer, or took longer, than it may."""


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to https, or, from this very machine, to this very machine: none leads away from https."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(  # noqa: PLR0917  the base's own signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme != "https" and not (is_loopback(req.full_url) and is_loopback(newurl)):
            return None  # answered as the error that it then is
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _read(answer: HTTPResponse) -> bytes:
    until = time.monotonic() + _TOTAL_S
    body = b""
    while piece := answer.read1(_PIECE):
        body += piece
        if len(body) > MAX_BYTES:
            raise _TooLong(f"longer than {MAX_BYTES} bytes")
        if time.monotonic() > until:
            raise _TooLong(f"not all there after {_TOTAL_S} s")
    return body


def _reason(error: Exception) -> str:
    status = getattr(error, "code", None)
    name = type(error).__name__
    return f"{name} {status}" if isinstance(status, int) else str(error) if isinstance(error, _TooLong) else name
