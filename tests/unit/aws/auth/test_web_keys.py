"""Fetching and keeping the issuer's keys."""

import json
import socket
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from dayfly.aws.auth import json_fetch
from dayfly.aws.auth.json_fetch import MAX_BYTES, MAX_REDIRECTS, USER_AGENT, KeysUnavailable, require_secure
from dayfly.aws.auth.web_keys import FAILED_S, FORCED_S, FRESH_S, GRACE_S, WebKeys
from dayfly.errors import ConfigurationError
from tests.fakes.ports import ManualClock
from tests.unit.aws.issuer import Issuer, key, public_jwk
from tests.unit.aws.loopback import Answer, Request


def keys_of(issuer: Issuer, clock: ManualClock | None = None, *, discovered: bool = False) -> WebKeys:
    url = "" if discovered else issuer.jwks_url
    return WebKeys(issuer=issuer.url, jwks_url=url, clock=clock or ManualClock())


def test_keys_are_fetched_once_and_kept(issuer: Issuer) -> None:
    """Many tokens of known keys cost one fetch until the keys are no longer fresh, ten minutes later."""
    assert FRESH_S == 600
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    for _ in range(5):
        assert keys.find("one")
    clock.advance(FRESH_S - 0.001)
    assert keys.find("one")
    assert issuer.fetches == 1
    clock.advance(0.001)
    assert keys.find("one")
    assert issuer.fetches == 2


def test_a_rotated_key_is_found_at_once(issuer: Issuer) -> None:
    """A token of a key that is not known yet makes us ask again."""
    keys = keys_of(issuer)
    assert keys.find("one")
    issuer.published.append(public_jwk("two"))
    assert keys.find("two")
    assert issuer.fetches == 2


def test_a_withdrawn_key_is_forgotten(issuer: Issuer) -> None:
    """A key that is no longer published stops counting with the next fetch."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    assert keys.find("one")
    issuer.published[:] = [public_jwk("two")]
    clock.advance(FRESH_S + 1)
    assert not keys.find("one")


def test_a_flood_of_unknown_key_ids_asks_once(issuer: Issuer) -> None:
    """Made-up key ids make us ask again at most once in ten seconds, and are unknown without an error."""
    assert FORCED_S == 10
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    for place in range(100):
        assert not keys.find(f"made-up-{place}")
    assert issuer.fetches == 2
    assert keys.find("one")
    clock.advance(FORCED_S - 0.001)
    assert not keys.find("made-up")
    assert issuer.fetches == 2
    clock.advance(0.001)
    assert not keys.find("made-up")
    assert issuer.fetches == 3


def test_an_outage_is_bridged_with_known_keys(issuer: Issuer) -> None:
    """Keys that were fetched go on counting for an hour when the issuer is down, then nothing does."""
    assert GRACE_S == 3600
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    assert keys.find("one")
    issuer.up = False
    clock.advance(FRESH_S)
    assert keys.find("one")
    with pytest.raises(KeysUnavailable):
        keys.find("two")
    clock.advance(GRACE_S - FRESH_S - 0.001)
    assert keys.find("one")
    clock.advance(0.001)
    with pytest.raises(KeysUnavailable):
        keys.find("one")


def test_an_outage_is_not_made_worse(issuer: Issuer) -> None:
    """While a fetch has just failed none is tried; two seconds later one is, and finds the issuer back."""
    assert FAILED_S == 2
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    issuer.up = False
    for _ in range(10):
        with pytest.raises(KeysUnavailable):
            keys.find("one")
    assert issuer.fetches == 1
    issuer.up = True
    clock.advance(FAILED_S - 0.001)
    with pytest.raises(KeysUnavailable):
        keys.find("one")
    clock.advance(0.001)
    assert keys.find("one")


def test_keys_are_discovered(issuer: Issuer) -> None:
    """Without an address the issuer's own configuration names it."""
    assert keys_of(issuer, discovered=True).find("one")


def test_an_issuer_with_a_slash_is_discovered(issuer: Issuer) -> None:
    """The slash that an issuer's name ends with is part of the name, and not twice part of the address.

    Source: OpenID Connect Discovery 1.0, section 4.1.
    """
    named = f"{issuer.url}/X/"
    document = json.dumps({"issuer": named, "jwks_uri": issuer.jwks_url}).encode()
    keys = issuer.server.answer
    place = "/X/.well-known/openid-configuration"
    issuer.server.answer = lambda request: Answer(body=document) if request.path == place else keys(request)
    assert WebKeys(issuer=named, jwks_url="", clock=ManualClock()).find("one")


def test_another_issuer_is_not_discovered(issuer: Issuer) -> None:
    """A configuration that names another issuer, or none, is not used, though keys lie where it says."""
    for other in ({"issuer": "https://other.example"}, {"issuer": f"{issuer.url}/"}, {}):
        issuer.configuration = {**other, "jwks_uri": issuer.jwks_url}
        with pytest.raises(KeysUnavailable, match="another issuer's"):
            keys_of(issuer, discovered=True).find("one")
    assert issuer.fetches == 0
    issuer.configuration = {"issuer": issuer.url, "jwks_uri": issuer.jwks_url}
    assert keys_of(issuer, discovered=True).find("one")


@pytest.mark.parametrize("place", ["http", "file"])
def test_an_insecure_address_is_not_discovered(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Keys are not fetched from an insecure address that a configuration names, though they lie there: over http from
    a host that is not said to be this machine, or from a file."""
    monkeypatch.setenv("no_proxy", "*")
    (tmp_path / "keys").write_text(json.dumps({"keys": issuer.published}))
    # Another spelling of 127.0.0.1, which is reached, and is not among the names of loopback.
    url = issuer.jwks_url.replace("127.0.0.1", "127.1") if place == "http" else (tmp_path / "keys").as_uri()
    with urllib.request.build_opener().open(url) as answer:
        assert json.load(answer) == {"keys": issuer.published}
    issuer.configuration = {"issuer": issuer.url, "jwks_uri": url}
    with pytest.raises(KeysUnavailable, match="not https"):
        keys_of(issuer, discovered=True).find("one")


@pytest.mark.parametrize("more", [{}, {"jwks_uri": 7}, {"jwks_uri": None}], ids=str)
def test_a_configuration_without_an_address(issuer: Issuer, more: dict[str, object]) -> None:
    """There is no guess beside what the issuer says."""
    issuer.configuration = {"issuer": issuer.url, **more}
    with pytest.raises(KeysUnavailable, match="no jwks_uri"):
        keys_of(issuer, discovered=True).find("one")


def test_a_configuration_that_is_no_object(issuer: Issuer) -> None:
    """A configuration of another type is none."""
    issuer.server.answer = lambda _: Answer(body=b"[]")
    with pytest.raises(KeysUnavailable, match="no JSON object"):
        keys_of(issuer, discovered=True).find("one")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_to_where_it_is_secure(issuer: Issuer, status: int) -> None:
    """Keys that have moved are found, with the same headers; not where the redirect leads to http off this machine, or
    to another spelling of it, though they lie there."""
    issuer.moved = status
    assert keys_of(issuer).find("one")
    assert [request.path for request in issuer.server.requests] == ["/keys", "/moved"]
    assert {request.headers["user-agent"] for request in issuer.server.requests} == {USER_AGENT}
    issuer.server.requests.clear()
    answer = issuer.server.answer
    away = f"{issuer.url}/moved".replace("127.0.0.1", "127.1")
    issuer.server.answer = lambda request: (
        Answer(status, headers={"Location": away}) if request.path == "/keys" else answer(request)
    )
    with pytest.raises(KeysUnavailable, match=f"HTTPError {status}"):
        keys_of(issuer).find("one")
    assert [request.path for request in issuer.server.requests] == ["/keys"]


@pytest.mark.parametrize(
    ("start", "target", "followed"),
    [
        ("https://a.example/k", "https://b.example/k", True),
        ("https://a.example/k", "http://b.example/k", False),
        ("https://a.example/k", "http://127.0.0.1:1/k", False),
        ("http://127.0.0.1:1/k", "https://b.example/k", True),
        ("http://127.0.0.1:1/k", "http://localhost:2/k", True),
        ("http://127.0.0.1:1/k", "ftp://127.0.0.1/k", False),
    ],
)
def test_a_redirect_never_leads_away_from_https(start: str, target: str, *, followed: bool) -> None:
    """From https to https alone; from this machine also to this machine."""
    request = urllib.request.Request(start)
    made = json_fetch._SecureRedirects().redirect_request(request, BytesIO(), 302, "Found", Message(), target)
    assert (made is not None) == followed


@pytest.mark.parametrize(("hops", "found"), [(MAX_REDIRECTS, True), (MAX_REDIRECTS + 1, False)])
def test_redirects_come_to_an_end(issuer: Issuer, hops: int, *, found: bool) -> None:
    """Three are followed, and not a fourth."""
    keys = issuer.server.answer

    def answer(request: Request) -> Answer:
        hop = int(request.path.partition("?")[2] or 0)
        if hop < hops:
            return Answer(302, headers={"Location": f"{issuer.url}/keys?{hop + 1}"})
        return keys(replace(request, path="/keys"))

    issuer.server.answer = answer
    if found:
        assert keys_of(issuer).find("one")
    else:
        with pytest.raises(KeysUnavailable, match="HTTPError 302"):
            keys_of(issuer).find("one")


def test_the_issuer_is_told_who_asks(issuer: Issuer) -> None:
    """Both fetches name this backend, and what they want: firewalls refuse the library's own name."""
    good = issuer.server.answer
    issuer.server.answer = lambda request: (
        Answer(403) if "urllib" in request.headers.get("user-agent", "urllib").lower() else good(request)
    )
    assert keys_of(issuer, discovered=True).find("one")
    assert len(issuer.server.requests) == 2
    for request in issuer.server.requests:
        assert request.headers["user-agent"].startswith("dayfly/")
        assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("prefix", "encoding"),
    [(b"", "utf-8"), (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\r\n ", "utf-8")],
)
@pytest.mark.parametrize("kind", ["application/jwk-set+json", "application/json; charset=UTF-8", "text/plain"])
def test_json_in_any_dress(issuer: Issuer, prefix: bytes, encoding: str, kind: str) -> None:
    """A byte order mark, another encoding of Unicode, blanks, or another content type change nothing."""
    body = prefix + json.dumps({"keys": issuer.published}).encode(encoding)
    issuer.server.answer = lambda _: Answer(body=body, headers={"Content-Type": kind})
    assert keys_of(issuer).find("one")


def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is never silent for long, and never ends, is not waited for."""
    monkeypatch.setattr(json_fetch, "_TOTAL_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            peer, _ = server.accept()
            with peer, suppress(OSError):
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                for _ in range(1000):
                    peer.sendall(b" ")
                    time.sleep(0.01)

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(KeysUnavailable, match="not all there"):
            WebKeys(issuer=url, jwks_url=url, clock=ManualClock()).find("one")
        assert time.monotonic() - began < 5
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        Answer(body=b"not json"),
        Answer(body=b"[]"),
        Answer(body=b"{}"),
        Answer(body=b'{"keys": []}'),
        Answer(body=b'{"keys": 7}'),
        Answer(body=b'{"keys": [7]}'),
        Answer(body=b'{"keys": [{"kty": "RSA", "alg": ["RS256"]}]}'),
        Answer(headers={"X-Long": "x" * 70_000}),
        Answer(body=b"\xff\xfe"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body!r}",
)
def test_an_answer_that_is_no_key_set(issuer: Issuer, answer: Answer) -> None:
    """Errors and documents without a usable key mean that keys are unavailable, until there are some."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    good, issuer.server.answer = issuer.server.answer, lambda _: answer
    with pytest.raises(KeysUnavailable):
        keys.find("one")
    issuer.server.answer = good
    clock.advance(FAILED_S)
    assert keys.find("one")


def test_a_key_set_may_be_so_long(issuer: Issuer) -> None:
    """What is longer than the bound is not read to its end, so it is no key set."""
    for more, found in ((0, True), (1, False)):
        document = {"keys": issuer.published, "pad": ""}
        document["pad"] = "x" * (MAX_BYTES + more - len(json.dumps(document)))
        answer = Answer(body=json.dumps(document).encode())
        issuer.server.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        keys = keys_of(issuer)
        if found:
            assert keys.find("one")
        else:
            with pytest.raises(KeysUnavailable, match="longer than 524288 bytes"):
                keys.find("one")


def test_an_issuer_that_is_silent_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is waited for so long and no longer: API Gateway waits 10 seconds for its authorizer."""
    assert json_fetch._TIMEOUT_S == 3.0
    monkeypatch.setattr(json_fetch, "_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(KeysUnavailable, match="TimeoutError"):
            WebKeys(issuer=url, jwks_url=url, clock=ManualClock()).find("one")
        assert time.monotonic() - began < 2


def test_this_machine_is_asked_without_a_proxy(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is for others, not for the development issuer."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="refused"):
        urllib.request.build_opener().open(issuer.jwks_url)
    assert keys_of(issuer).find("one")


def fit_and_unfit() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Key entries that are used, each beside one that is not, and differs in one thing."""
    named = public_jwk("one")
    without_use = {name: value for name, value in named.items() if name != "use"}
    private = RSAAlgorithm.to_jwk(key("one"), as_dict=True)
    return [
        (named, {**named, "use": "enc"}),
        (without_use, {**without_use, "use": "enc"}),
        (named, {**named, "alg": "RSA-OAEP"}),
        (public_jwk("one", bits=2048), public_jwk("one", bits=1024)),
        (named, {**private, "kid": "one", "use": "sig", "alg": "RS256"}),
        (named, {"kty": "oct", "k": "c2VjcmV0", "kid": "one"}),
        (named, {"kty": "unknown", "kid": "one"}),
        (named, {**named, "kid": ["one"]}),
        (named, {**named, "kid": None}),
        (named, {name: value for name, value in named.items() if name != "kid"}),
    ]


@pytest.mark.filterwarnings("ignore:The RSA key is")
@pytest.mark.parametrize(("fit", "unfit"), fit_and_unfit(), ids=range(10))
def test_unfit_keys_are_passed_over(issuer: Issuer, fit: dict[str, Any], unfit: dict[str, Any]) -> None:
    """Keys for encryption, of other algorithms, too short, private, no RSA keys at all or without an id are not used,
    and do not stand in the way of others."""
    issuer.published[:] = [fit, public_jwk("two")]
    assert keys_of(issuer).find("one")
    issuer.published[:] = [unfit, public_jwk("two")]
    keys = keys_of(issuer)
    assert keys.find("two")
    assert not keys.find("one")


@pytest.mark.parametrize(
    "url",
    ["http://issuer.example", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "file:///x", "issuer", "", "https://"],
)
def test_insecure_addresses_are_refused_at_start(url: str) -> None:
    """Keys come over https; plain http only from this machine."""
    with pytest.raises(ConfigurationError):
        require_secure(url)


@pytest.mark.parametrize(
    "url", ["https://issuer.example/x", "http://127.0.0.1:3001", "http://localhost:1/keys", "http://[::1]:1/keys"]
)
def test_secure_addresses(url: str) -> None:
    """https anywhere, http on loopback."""
    require_secure(url)
