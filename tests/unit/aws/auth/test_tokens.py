"""Which tokens are accepted. Keys and signatures are real."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dayfly.aws.auth.tokens import BadToken, Tokens
from dayfly.aws.auth.web_keys import KeysUnavailable, WebKeys
from dayfly.context.identity import tenant_name, user_name
from tests.fakes.ports import ManualClock
from tests.unit.aws.issuer import AUDIENCE, Issuer, key, public_jwk


def tokens_of(issuer: Issuer, *, tenant_claim: str = "") -> Tokens:
    keys = WebKeys(issuer=issuer.url, jwks_url=issuer.jwks_url, clock=ManualClock())
    return Tokens(keys, issuer=issuer.url, audience=AUDIENCE, tenant_claim=tenant_claim)


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("subject", ["alice", "auth0|x", "a#b", "Ünï 世界", "x" * 255, "none"])
def test_a_good_token_names_its_user(issuer: Issuer, subject: str) -> None:
    """Any subject becomes the user's name for this issuer; without a tenant claim the user is the tenant."""
    identity = tokens_of(issuer).identity(issuer.token(sub=subject, exp=2_000_000_000))
    assert identity.user_id == identity.tenant_id == user_name(issuer.url, subject)
    assert identity.expires_at == 2_000_000_000


def test_the_tenant_comes_from_the_configured_claim(issuer: Issuer) -> None:
    """With a claim configured the tenant is its value's name; a token without the claim is its user's own tenant."""
    tokens = tokens_of(issuer, tenant_claim="org")
    assert tokens.identity(issuer.token(org="acme")).tenant_id == tenant_name(issuer.url, "acme")
    lonely = tokens.identity(issuer.token())
    assert lonely.tenant_id == lonely.user_id


@pytest.mark.parametrize("claim", [7, ["acme"], {"id": "acme"}, "", "  "])
def test_a_tenant_claim_that_is_no_name_is_refused(issuer: Issuer, claim: object) -> None:
    """A tenant is never guessed from another type."""
    with pytest.raises(BadToken):
        tokens_of(issuer, tenant_claim="org").identity(issuer.token(org=claim))


def bad_claims() -> list[dict[str, object]]:
    now = int(time.time())
    return [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"exp": now - 60},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": now + 60},
        {"iat": now + 60},
        {"sub": None},
        {"sub": ""},
        {"sub": "   "},
        {"sub": 7},
    ]


@pytest.mark.parametrize("changes", bad_claims(), ids=lambda changes: str(next(iter(changes.items()))).split(" 1")[0])
def test_a_bad_claim_is_refused(issuer: Issuer, changes: dict[str, object]) -> None:
    """Issuer, audience, times and subject are all required and checked, whatever the signature says."""
    claims = issuer.claims(**changes)
    # PyJWT itself refuses to make some of these, so they are signed by hand.
    signer = jwt.get_algorithm_by_name("RS256")
    signed = f"{encoded({'alg': 'RS256', 'kid': 'one'})}.{encoded(claims)}"
    token = f"{signed}.{encoded(signer.sign(signed.encode(), key('one')))}"
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(token)


def test_clocks_may_differ_a_little(issuer: Issuer) -> None:
    """A token that expired, or begins to count, within the leeway is accepted."""
    now = int(time.time())
    assert tokens_of(issuer).identity(issuer.token(exp=now - 10, nbf=now + 10, iat=now + 10))


def test_an_audience_among_several_is_enough(issuer: Issuer) -> None:
    """A token may be meant for other services too."""
    assert tokens_of(issuer).identity(issuer.token(aud=["other", AUDIENCE]))


def test_alg_none_is_refused(issuer: Issuer) -> None:
    """An unsigned token is bad in every spelling of `none`."""
    for alg in ("none", "None", "NONE", "nOnE", ""):
        token = f"{encoded({'alg': alg, 'kid': 'one'})}.{encoded(issuer.claims())}."
        with pytest.raises(BadToken):
            tokens_of(issuer).identity(token)


def test_the_public_key_is_no_secret(issuer: Issuer) -> None:
    """HS256 with the published key as its secret is refused: the header does not choose the algorithm."""
    pem = key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(issuer.claims())}"
    token = f"{signed}.{encoded(hmac.digest(pem, signed.encode(), hashlib.sha256))}"
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(token)


def test_another_algorithm_of_the_same_key_is_refused(issuer: Issuer) -> None:
    """Even a genuine signature of the issuer's key counts only as RS256."""
    for alg in ("RS512", "PS256"):
        token = jwt.encode(issuer.claims(), key("one"), algorithm=alg, headers={"kid": "one"})
        with pytest.raises(BadToken):
            tokens_of(issuer).identity(token)


def test_another_key_under_a_known_id_is_refused(issuer: Issuer) -> None:
    """The signature must be the published key's."""
    token = jwt.encode(issuer.claims(), key("thief"), algorithm="RS256", headers={"kid": "one"})
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(token)


def test_a_key_in_the_token_is_not_used(issuer: Issuer) -> None:
    """A token cannot bring its own key or name where to fetch one (`jwk`, `jku`, `x5u`)."""
    extra = {"kid": "thief", "jwk": public_jwk("thief"), "jku": issuer.jwks_url, "x5u": issuer.jwks_url}
    token = jwt.encode(issuer.claims(), key("thief"), algorithm="RS256", headers=extra)
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(token)


def test_changed_claims_are_refused(issuer: Issuer) -> None:
    """A token whose claims were changed after signing is bad."""
    header, _, signature = issuer.token().split(".")
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(f"{header}.{encoded(issuer.claims(sub='bob'))}.{signature}")


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "a.b.c.d", "..", "header.claims.signature", "é.é.é", "x" * 9000, "\x00", "W10.W10.W10"]
)
def test_what_is_no_jwt_is_refused(issuer: Issuer, token: str) -> None:
    """Anything that is not a JWT at all is a bad token, not an error."""
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(token)


def test_a_token_without_a_key_id_is_refused(issuer: Issuer) -> None:
    """The key is found by its id, never by trying."""
    with pytest.raises(BadToken):
        tokens_of(issuer).identity(jwt.encode(issuer.claims(), key("one"), algorithm="RS256"))


def test_without_keys_nothing_is_judged(issuer: Issuer) -> None:
    """When the issuer does not answer, a token is neither good nor bad."""
    issuer.up = False
    with pytest.raises(KeysUnavailable):
        tokens_of(issuer).identity(issuer.token())
