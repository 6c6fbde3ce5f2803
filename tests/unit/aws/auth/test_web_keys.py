"""Fetching and keeping the issuer's keys."""

import pytest

from dayfly.aws.auth.web_keys import FAILED_S, FORCED_S, FRESH_S, GRACE_S, KeysUnavailable, WebKeys, require_secure
from dayfly.errors import ConfigurationError
from tests.fakes.ports import ManualClock
from tests.unit.aws.issuer import Issuer, public_jwk
from tests.unit.aws.loopback import Answer


def keys_of(issuer: Issuer, clock: ManualClock | None = None, *, discovered: bool = False) -> WebKeys:
    url = "" if discovered else issuer.jwks_url
    return WebKeys(issuer=issuer.url, jwks_url=url, clock=clock or ManualClock())


def test_keys_are_fetched_once_and_kept(issuer: Issuer) -> None:
    """Many tokens of known keys cost one fetch until the keys are no longer fresh."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    for _ in range(5):
        assert keys.find("one") is not None
    assert issuer.fetches == 1
    clock.advance(FRESH_S + 1)
    assert keys.find("one") is not None
    assert issuer.fetches == 2


def test_a_rotated_key_is_found_at_once(issuer: Issuer) -> None:
    """A token of a key that is not known yet makes us ask again."""
    keys = keys_of(issuer)
    assert keys.find("one") is not None
    issuer.published.append(public_jwk("two"))
    assert keys.find("two") is not None
    assert issuer.fetches == 2


def test_a_withdrawn_key_is_forgotten(issuer: Issuer) -> None:
    """A key that is no longer published stops counting with the next fetch."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    assert keys.find("one") is not None
    issuer.published[:] = [public_jwk("two")]
    clock.advance(FRESH_S + 1)
    assert keys.find("one") is None


def test_a_flood_of_unknown_key_ids_asks_once(issuer: Issuer) -> None:
    """Made-up key ids make us ask again at most once every few seconds, and are unknown without an error."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    for place in range(100):
        assert keys.find(f"made-up-{place}") is None
    assert issuer.fetches == 2
    assert keys.find("one") is not None
    clock.advance(FORCED_S + 1)
    assert keys.find("made-up") is None
    assert issuer.fetches == 3


def test_an_outage_is_bridged_with_known_keys(issuer: Issuer) -> None:
    """Keys that were fetched go on counting for a while when the issuer is down, then nothing does."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    assert keys.find("one") is not None
    issuer.up = False
    clock.advance(FRESH_S + 1)
    assert keys.find("one") is not None
    with pytest.raises(KeysUnavailable):
        keys.find("two")
    clock.advance(GRACE_S)
    with pytest.raises(KeysUnavailable):
        keys.find("one")


def test_an_outage_is_not_made_worse(issuer: Issuer) -> None:
    """While a fetch has just failed none is tried; after the pause one is, and finds the issuer back."""
    clock = ManualClock()
    keys = keys_of(issuer, clock)
    issuer.up = False
    for _ in range(10):
        with pytest.raises(KeysUnavailable):
            keys.find("one")
    assert issuer.fetches == 1
    issuer.up = True
    clock.advance(FAILED_S + 1)
    assert keys.find("one") is not None


def test_keys_are_discovered(issuer: Issuer) -> None:
    """Without an address the issuer's own configuration names it."""
    assert keys_of(issuer, discovered=True).find("one") is not None


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://other.example", "jwks_uri": "http://127.0.0.1/keys"},
        {"jwks_uri": "http://127.0.0.1/keys"},
        {"issuer": "SELF"},
        {"issuer": "SELF", "jwks_uri": 7},
        {"issuer": "SELF", "jwks_uri": "http://keys.example/keys"},
        {"issuer": "SELF", "jwks_uri": "file:///etc/passwd"},
    ],
)
def test_a_wrong_configuration_is_not_used(issuer: Issuer, configuration: dict[str, object]) -> None:
    """A configuration of another issuer, or with an insecure address, gives no keys."""
    issuer.configuration = {name: issuer.url if value == "SELF" else value for name, value in configuration.items()}
    with pytest.raises(KeysUnavailable):
        keys_of(issuer, discovered=True).find("one")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        Answer(302, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(body=b"not json"),
        Answer(body=b"[]"),
        Answer(body=b"{}"),
        Answer(body=b'{"keys": []}'),
        Answer(body=b'{"keys": 7}'),
        Answer(body=b"\xff\xfe"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body!r}",
)
def test_an_answer_that_is_no_key_set(issuer: Issuer, answer: Answer) -> None:
    """Errors, redirects and documents without a usable key mean that keys are unavailable."""
    issuer.server.answer = lambda _: answer
    with pytest.raises(KeysUnavailable):
        keys_of(issuer).find("one")


@pytest.mark.filterwarnings("ignore:The RSA key is")
def test_unfit_keys_are_passed_over(issuer: Issuer) -> None:
    """Keys for encryption, of other algorithms, too short, or without an id are not used."""
    issuer.published[:] = [
        public_jwk("one"),
        public_jwk("encrypts", use="enc"),
        public_jwk("other-algorithm", alg="RS512"),
        public_jwk("short", bits=1024),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "unknown", "kid": "unknown"},
        {name: value for name, value in public_jwk("nameless").items() if name != "kid"},
    ]
    keys = keys_of(issuer)
    assert keys.find("one") is not None
    for kid in ("encrypts", "other-algorithm", "short", "secret", "unknown", "nameless", ""):
        assert keys.find(kid) is None, kid


@pytest.mark.parametrize(
    "url",
    ["http://issuer.example", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "file:///x", "issuer", "", "https://"],
)
def test_insecure_addresses_are_refused_at_start(url: str) -> None:
    """Keys come over https; plain http only from this machine."""
    with pytest.raises(ConfigurationError):
        require_secure(url)


@pytest.mark.parametrize("url", ["https://issuer.example/x", "http://127.0.0.1:3001", "http://localhost:1/keys"])
def test_secure_addresses(url: str) -> None:
    """https anywhere, http on loopback."""
    require_secure(url)
