"""Tokens of every kind of key that issuers publish. Keys and signatures are real."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from dayfly.aws.auth.json_fetch import KeysUnavailable
from dayfly.aws.auth.tokens import BadToken, Tokens
from dayfly.aws.auth.web_keys import FORCED_S, WebKeys
from tests.fakes.ports import ManualClock
from tests.unit.aws.issuer import AUDIENCE, Issuer, key, public_jwk
from tests.unit.aws.loopback import Answer

Jwk = dict[str, Any]

CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
    "ES256K": ec.SECP256K1,
}


@cache
def private(algorithm: str, name: str) -> Any:
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return key(name)


def jwk_of(algorithm: str, name: str = "one", **more: object) -> Jwk:
    """The public key, with its id and nothing that it need not have; what is given as `None` is left out."""
    public = private(algorithm, name).public_key()
    to_jwk = {"ES": ECAlgorithm.to_jwk, "Ed": OKPAlgorithm.to_jwk}.get(algorithm[:2], RSAAlgorithm.to_jwk)
    made = {**to_jwk(public, as_dict=True), "kid": name, **more}  # type: ignore[operator]
    made = {name: value for name, value in made.items() if name != "key_ops" or "key_ops" in more}
    return {name: value for name, value in made.items() if value is not None}


def token_of(issuer: Issuer, algorithm: str, name: str = "one", *, kid: str | None = "one", **claims: object) -> str:
    headers = {} if kid is None else {"kid": kid}
    signed_as = "EdDSA" if algorithm == "Ed448" else algorithm
    return jwt.encode(issuer.claims(**claims), private(algorithm, name), algorithm=signed_as, headers=headers)


def tokens_of(issuer: Issuer, *audiences: str, clock: ManualClock | None = None) -> Tokens:
    keys = WebKeys(issuer=issuer.url, jwks_url=issuer.jwks_url, clock=clock or ManualClock())
    return Tokens(keys, issuer=issuer.url, audiences=audiences or (AUDIENCE,), tenant_claim="")


def refusal(tokens: Tokens, token: str) -> str:
    with pytest.raises(BadToken) as raised:
        tokens.identity(token)
    return str(raised.value)


@pytest.mark.parametrize(
    "algorithm",
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
)
@pytest.mark.parametrize("more", [{}, {"use": "sig"}, {"key_ops": ["verify"]}, {"x5c": ["AAAA"], "x5t": "A"}], ids=str)
def test_every_algorithm_of_public_keys(issuer: Issuer, algorithm: str, more: Jwk) -> None:
    """A key verifies what its type and curve can, whether it names its algorithm and its use or not; the signature of
    another key of the kind is refused."""
    for named in ({}, {"alg": algorithm}):
        issuer.published[:] = [jwk_of(algorithm, **more, **named), public_jwk("two")]
        assert tokens_of(issuer).identity(token_of(issuer, algorithm))
        forged = token_of(issuer, algorithm)[:-8] + "AAAAAAAA"
        assert refusal(tokens_of(issuer), forged) == "InvalidSignatureError"


@pytest.mark.parametrize(
    ("published", "signed"),
    [("ES256", "ES384"), ("ES384", "ES256"), ("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "ES256")],
)
def test_an_algorithm_fits_its_key(issuer: Issuer, published: str, signed: str) -> None:
    """A token is not judged by a key of another type or curve, whatever its header says."""
    issuer.published[:] = [jwk_of(published)]
    assert refusal(tokens_of(issuer), token_of(issuer, signed)) == "the key is for another algorithm"


@pytest.mark.parametrize("algorithm", ["ES256K", "HS256", "HS512", "none"])
def test_other_algorithms_are_refused(issuer: Issuer, algorithm: str) -> None:
    """Neither shared secrets, nor nothing, nor a curve that is for money, though the issuer published a key for it."""
    secret = "x" * 64 if algorithm[:2] == "HS" else ""
    signer = private(algorithm, "one") if algorithm == "ES256K" else secret
    issuer.published[:] = [
        jwk_of("ES256K", alg="ES256K") if algorithm == "ES256K" else {"kty": "oct", "k": "eHh4", "kid": "one"},
        public_jwk("two"),
    ]
    token = jwt.encode(issuer.claims(), signer, algorithm=algorithm, headers={"kid": "one"})
    assert refusal(tokens_of(issuer), token) == "not signed with an algorithm of public keys"


@pytest.mark.parametrize("header", [{"alg": ["ES256"]}, {"alg": None}, {"alg": 7}, {"alg": {}}], ids=str)
def test_an_algorithm_is_a_text(issuer: Issuer, header: Jwk) -> None:
    """A header with anything else is a bad token, not an error."""
    assert refusal(tokens_of(issuer), issuer.signed(issuer.claims(), **header)) == (
        "not signed with an algorithm of public keys"
    )


def broken_entries() -> list[object]:
    good = jwk_of("ES256")
    return [
        7,
        None,
        "key",
        {},
        {"kty": None},
        {"kty": "RSA", "kid": "one"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "one"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "one"},
        {"kid": "one", "x5c": ["AAAA"], "kty": "RSA"},
        {**good, "use": "enc"},
        {**good, "use": ["sig"]},
        {**good, "key_ops": ["encrypt"]},
        {**good, "key_ops": "verify"},
        {**good, "key_ops": []},
        {**good, "alg": "ECDH-ES"},
        {**good, "alg": "ES384"},
        {**good, "alg": ["ES256"]},
        {**good, "crv": "P-999"},
        {**good, "crv": "P-384"},
        {**good, "crv": ["P-256"]},
        {**good, "crv": None},
        {**good, "x": "AAAA"},
        {**good, "x": 7},
        {**good, "y": good["x"]},
        {**good, "kid": 7},
        {**good, "d": good["x"]},
        jwk_of("Ed448"),
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43, "kid": "one"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "one"},
        {"kty": "RSA", "n": 7, "e": "AQAB", "kid": "one"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "one"},
        {"kty": "RSA", "n": "é", "e": "AQAB", "kid": "one"},
    ]


@pytest.mark.parametrize("entry", broken_entries(), ids=lambda entry: json.dumps(entry)[:60])
def test_one_entry_breaks_no_set(issuer: Issuer, entry: object) -> None:
    """What cannot verify, or is no key at all, is passed over: the key beside it is found, alone, so that it needs no
    id; where nothing else is published, no token can be judged."""
    issuer.server.answer = lambda _: Answer(body=json.dumps({"keys": [entry, jwk_of("ES256", "two")]}).encode())
    tokens = tokens_of(issuer)
    assert tokens.identity(token_of(issuer, "ES256", "two", kid="two"))
    assert tokens.identity(token_of(issuer, "ES256", "two", kid=None))
    issuer.server.answer = lambda _: Answer(body=json.dumps({"keys": [entry]}).encode())
    with pytest.raises(KeysUnavailable, match="no usable key"):
        tokens_of(issuer).identity(token_of(issuer, "ES256"))


def test_an_only_key_needs_no_id(issuer: Issuer) -> None:
    """Whether the key, the token, or both have none; keys for encryption do not count."""
    for entry, kid in ((None, None), (None, "one"), ("one", None), ("one", "one")):
        issuer.published[:] = [jwk_of("ES256", kid=entry), jwk_of("RS256", "two", use="enc")]
        assert tokens_of(issuer).identity(token_of(issuer, "ES256", kid=kid))
    issuer.published[:] = [jwk_of("ES256", kid="one")]
    assert refusal(tokens_of(issuer), token_of(issuer, "ES256", kid="two")) == "unknown key"


def test_of_several_keys_one_is_found_by_its_id_alone(issuer: Issuer) -> None:
    """Without an id a token is refused, though one of them has signed it, and even if only one is of its type."""
    for other in (jwk_of("ES256", "two"), jwk_of("RS256", "two"), jwk_of("RS256", "two", kid=None)):
        issuer.published[:] = [jwk_of("ES256"), other]
        assert tokens_of(issuer).identity(token_of(issuer, "ES256"))
        assert refusal(tokens_of(issuer), token_of(issuer, "ES256", kid=None)) == "unknown key"
    issuer.published[:] = [jwk_of("ES256", kid=None), jwk_of("RS256", "two")]
    assert refusal(tokens_of(issuer), token_of(issuer, "ES256", kid="one")) == "unknown key"


def test_keys_of_one_id_are_told_apart_by_their_type(issuer: Issuer) -> None:
    """RFC 7517 lets equivalent keys of different types share an id; of one type, each is tried."""
    issuer.published[:] = [jwk_of("RS256"), jwk_of("ES256"), jwk_of("RS256", "two", kid="one")]
    tokens = tokens_of(issuer)
    for algorithm, name in (("RS256", "one"), ("ES256", "one"), ("RS256", "two")):
        assert tokens.identity(token_of(issuer, algorithm, name))
    assert refusal(tokens, token_of(issuer, "RS256", "thief")) == "InvalidSignatureError"


@pytest.mark.parametrize(("before", "after"), [("RS256", "ES256"), ("ES256", "RS256")])
def test_a_key_without_an_id_that_was_replaced_is_found(issuer: Issuer, before: str, after: str) -> None:
    """A token that the known key did not sign has the keys fetched again, once in ten seconds however many come."""
    clock = ManualClock()
    issuer.published[:] = [jwk_of(before, kid=None)]
    tokens = tokens_of(issuer, clock=clock)
    old, new = (token_of(issuer, algorithm, kid=None) for algorithm in (before, after))
    assert tokens.identity(old)
    for _ in range(20):
        assert refusal(tokens, new) == "the key is for another algorithm"
    assert issuer.fetches == 2
    issuer.published[:] = [jwk_of(after, kid=None)]
    clock.advance(FORCED_S)
    assert tokens.identity(new)
    assert issuer.fetches == 3
    for _ in range(20):
        assert refusal(tokens, old) == "the key is for another algorithm"
    assert issuer.fetches == 3


def test_forged_tokens_of_a_key_with_an_id_cost_no_fetch(issuer: Issuer) -> None:
    """A known id is a known key: a wrong signature says nothing of the issuer's keys."""
    tokens = tokens_of(issuer)
    for _ in range(20):
        assert refusal(tokens, token_of(issuer, "RS256", "thief")) == "InvalidSignatureError"
    assert issuer.fetches == 1


WEB, APP = "web-client", "app-client"


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"aud": WEB}, True),
        ({"aud": APP}, True),
        ({"aud": [APP, "other"]}, True),
        ({"aud": "other"}, False),
        ({"aud": f"{WEB},{APP}"}, False),
        ({"aud": [], "client_id": WEB}, False),
        ({"aud": [WEB, 7]}, False),
        ({"aud": {WEB: 1}}, False),
        ({"aud": 7}, False),
        ({"aud": ""}, False),
        ({"aud": None}, False),
        # An access token of Cognito.
        ({"aud": None, "token_use": "access", "client_id": WEB}, True),
        ({"aud": None, "token_use": "access", "client_id": APP, "scope": "openid"}, True),
        ({"aud": None, "token_use": "access", "client_id": "other"}, False),
        ({"aud": None, "token_use": "access", "client_id": [WEB, 7]}, False),
        ({"aud": None, "token_use": "access"}, False),
        ({"aud": None, "token_use": "id", "client_id": WEB}, False),
        ({"aud": None, "client_id": WEB}, False),
        ({"aud": "other", "token_use": "access", "client_id": WEB}, False),
        # Its ID token, and tokens of others that have both.
        ({"aud": WEB, "token_use": "id"}, True),
        ({"aud": WEB, "client_id": "other"}, True),
        ({"aud": "other", "azp": WEB}, False),
    ],
    ids=str,
)
def test_for_whom_a_token_is_meant(issuer: Issuer, claims: dict[str, object], *, accepted: bool) -> None:
    """One of the accepted audiences stands in `aud`; only an access token without one is taken by its client's id."""
    issuer.published[:] = [jwk_of("ES256")]
    tokens = tokens_of(issuer, WEB, APP)
    token = jwt.encode(issuer.claims(**claims), private("ES256", "one"), algorithm="ES256", headers={"kid": "one"})
    if accepted:
        assert tokens.identity(token)
    else:
        assert refusal(tokens, token) in {"InvalidAudienceError", "MissingRequiredClaimError"}


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1e400}, {"exp": True}, {"exp": None}, {"nbf": "x"}, {"iat": [1]}, {"exp": float("nan")}, {"sub": ["a"]}],
    ids=str,
)
def test_odd_claims_are_no_errors(issuer: Issuer, claims: dict[str, object]) -> None:
    """Whatever a signed token says, it is good or bad."""
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(issuer.signed({**issuer.claims(), **claims}))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False}, {"crit": []}], ids=str
)
def test_what_must_be_understood_and_is_not(issuer: Issuer, header: Jwk) -> None:
    """A token whose header demands an extension is refused (RFC 7515 section 4.1.11)."""
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(issuer.signed(issuer.claims(), **header))
