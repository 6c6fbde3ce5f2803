"""Which tokens are accepted. Keys and signatures are real."""

import hashlib
import hmac
import time
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dayfly.aws.auth.json_fetch import KeysUnavailable
from dayfly.aws.auth.tokens import LEEWAY_S, MAX_CHARS, BadToken, Tokens
from dayfly.aws.auth.web_keys import WebKeys
from dayfly.context.identity import tenant_name, user_name
from tests.fakes.ports import ManualClock
from tests.unit.aws.issuer import AUDIENCE, Issuer, encoded, key, public_jwk


def tokens_of(issuer: Issuer, *, tenant_claim: str = "") -> Tokens:
    keys = WebKeys(issuer=issuer.url, jwks_url=issuer.jwks_url, clock=ManualClock())
    return Tokens(keys, issuer=issuer.url, audiences=(AUDIENCE,), tenant_claim=tenant_claim)


def refusal(tokens: Tokens, token: str) -> str:
    """Why the token is bad."""
    with pytest.raises(BadToken) as raised:
        tokens.identity(token)
    return str(raised.value)


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
    """A tenant is never guessed from another type; where no claim is configured the same token is good."""
    token = issuer.token(org=claim)
    assert refusal(tokens_of(issuer, tenant_claim="org"), token) == "the tenant claim is not a name"
    assert tokens_of(issuer).identity(token)


BAD_CLAIMS: list[tuple[dict[str, object], str]] = [
    ({"iss": "https://other.example"}, "InvalidIssuerError"),
    ({"iss": None}, "MissingRequiredClaimError"),
    ({"aud": "another-service"}, "InvalidAudienceError"),
    ({"aud": ["a", "b"]}, "InvalidAudienceError"),
    ({"aud": None}, "MissingRequiredClaimError"),
    ({"exp": timedelta(seconds=-60)}, "ExpiredSignatureError"),
    ({"exp": None}, "MissingRequiredClaimError"),
    ({"exp": "tomorrow"}, "DecodeError"),
    ({"nbf": timedelta(seconds=60)}, "ImmatureSignatureError"),
    ({"iat": timedelta(seconds=60)}, "ImmatureSignatureError"),
    ({"sub": None}, "MissingRequiredClaimError"),
    ({"sub": ""}, "empty subject"),
    ({"sub": "   "}, "empty subject"),
    ({"sub": 7}, "InvalidSubjectError"),
]
"""A claim that differs from a good token's (times are from now), and why that is bad."""


@pytest.mark.parametrize(
    ("changes", "reason"), BAD_CLAIMS, ids=lambda one: one if isinstance(one, str) else next(iter(one))
)
def test_a_bad_claim_is_refused(issuer: Issuer, changes: dict[str, object], reason: str) -> None:
    """Issuer, audience, times and subject are all required and checked: each alone makes a genuinely signed token bad,
    for its own reason, and without that change it is good."""
    tokens = tokens_of(issuer)
    assert tokens.identity(issuer.signed(issuer.claims())).user_id == user_name(issuer.url, "auth0|alice")
    now = int(time.time())
    told = {
        name: now + int(one.total_seconds()) if isinstance(one, timedelta) else one for name, one in changes.items()
    }
    assert refusal(tokens, issuer.signed(issuer.claims(**told))) == reason


def test_clocks_may_differ_a_little(issuer: Issuer) -> None:
    """A token that expired, or begins to count, within the leeway is accepted, and not a little later."""
    assert LEEWAY_S == 30
    now = int(time.time())
    near, far = LEEWAY_S - 5, LEEWAY_S + 5
    tokens = tokens_of(issuer)
    assert tokens.identity(issuer.token(exp=now - near, nbf=now + near, iat=now + near))
    assert refusal(tokens, issuer.token(exp=now - far)) == "ExpiredSignatureError"
    assert refusal(tokens, issuer.token(nbf=now + far)) == "ImmatureSignatureError"


def test_an_audience_among_several_is_enough(issuer: Issuer) -> None:
    """A token may be meant for other services too."""
    assert tokens_of(issuer).identity(issuer.token(aud=["other", AUDIENCE]))


def test_alg_none_is_refused(issuer: Issuer) -> None:
    """An unsigned token is bad in every spelling of `none`, and so is one whose genuine signature is called so."""
    tokens = tokens_of(issuer)
    for alg in ("none", "None", "NONE", "nOnE", ""):
        for signed in (
            issuer.signed(issuer.claims(), alg=alg),
            issuer.signed(issuer.claims(), alg=alg).rpartition(".")[0] + ".",
        ):
            assert refusal(tokens, signed) == "not signed with an algorithm of public keys"
    assert tokens.identity(issuer.signed(issuer.claims(), alg="RS256"))


def test_the_public_key_is_no_secret(issuer: Issuer) -> None:
    """HS256 with the published key as its secret is refused: the header does not choose the algorithm."""
    pem = key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(issuer.claims())}"
    token = f"{signed}.{encoded(hmac.digest(pem, signed.encode(), hashlib.sha256))}"
    assert pem == tokens_pem(issuer)
    assert refusal(tokens_of(issuer), token) == "not signed with an algorithm of public keys"


def tokens_pem(issuer: Issuer) -> bytes:
    """The key that tokens are judged by."""
    (found,) = WebKeys(issuer=issuer.url, jwks_url=issuer.jwks_url, clock=ManualClock()).find("one")
    return found.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("alg", ["RS512", "PS256"])
def test_another_algorithm_of_the_same_key_is_refused(issuer: Issuer, alg: str) -> None:
    """Even a genuine signature of the issuer's key counts only by the algorithm that the key is published for."""
    tokens = tokens_of(issuer)
    made, good = (
        jwt.encode(issuer.claims(), key("one"), algorithm=each, headers={"kid": "one"}) for each in (alg, "RS256")
    )
    assert refusal(tokens, made) == "the key is for another algorithm"
    assert tokens.identity(good)


def test_another_key_under_a_known_id_is_refused(issuer: Issuer) -> None:
    """The signature must be the published key's."""
    tokens = tokens_of(issuer)
    forged, good = (
        jwt.encode(issuer.claims(), key(name), algorithm="RS256", headers={"kid": "one"}) for name in ("thief", "one")
    )
    assert refusal(tokens, forged) == "InvalidSignatureError"
    assert tokens.identity(good)


def test_a_key_in_the_token_is_not_used(issuer: Issuer) -> None:
    """A token cannot bring its own key or name where to fetch one (`jwk`, `jku`, `x5u`), under a key id of its own or
    a published one. A published key's token may say as much, and counts for its signature."""
    tokens = tokens_of(issuer)
    extra = {"jwk": public_jwk("thief"), "jku": issuer.jwks_url, "x5u": issuer.jwks_url}
    for kid, reason in (("thief", "unknown key"), ("one", "InvalidSignatureError")):
        token = jwt.encode(issuer.claims(), key("thief"), algorithm="RS256", headers={**extra, "kid": kid})
        assert refusal(tokens, token) == reason
    assert tokens.identity(issuer.signed(issuer.claims(), **extra))


def test_changed_claims_are_refused(issuer: Issuer) -> None:
    """A token whose claims were changed after signing is bad."""
    tokens, claims = tokens_of(issuer), issuer.claims()
    header, same, signature = issuer.signed(claims).split(".")
    assert tokens.identity(f"{header}.{same}.{signature}")
    changed = encoded({**claims, "sub": "bob"})
    assert refusal(tokens, f"{header}.{changed}.{signature}") == "InvalidSignatureError"


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "a.b.c.d", "..", "header.claims.signature", "é.é.é", "\x00", "W10.W10.W10"]
)
def test_what_is_no_jwt_is_refused(issuer: Issuer, token: str) -> None:
    """Anything that is not a JWT at all is a bad token, not an error."""
    assert refusal(tokens_of(issuer), token) == "no JWT"


def test_a_long_token_is_not_looked_at(issuer: Issuer) -> None:
    """A good token may have 8,192 characters and not one more."""
    assert MAX_CHARS == 8192
    tokens = tokens_of(issuer)
    assert tokens.identity(token_of_length(issuer, MAX_CHARS))
    assert refusal(tokens, token_of_length(issuer, MAX_CHARS + 1)) == "too long"


def token_of_length(issuer: Issuer, length: int) -> str:
    """A good token of so many characters. Base64 has no length of 4n + 1, so both parts are stretched."""
    claims = issuer.claims()
    bare = len(issuer.signed({**claims, "pad": ""}, pad=""))
    for more in range(4):
        for pad in range((length - bare) * 3 // 4 - 8, (length - bare) * 3 // 4 + 8):
            parts = {"alg": "RS256", "kid": "one", "pad": "x" * more}, {**claims, "pad": "x" * pad}
            if sum(len(encoded(part)) for part in parts) + len(encoded(bytes(256))) + 2 == length:
                return issuer.signed(parts[1], pad=parts[0]["pad"])
    raise AssertionError(f"no token of {length} characters")


def test_an_id_that_is_no_text_or_unknown_is_refused(issuer: Issuer) -> None:
    """An id is a string, and a published key's."""
    tokens = tokens_of(issuer)
    assert refusal(tokens, issuer.signed(issuer.claims(), kid=7)) == "no JWT"
    assert refusal(tokens, issuer.signed(issuer.claims(), kid="two")) == "unknown key"
    assert tokens.identity(issuer.signed(issuer.claims(), kid="one"))


def test_without_keys_nothing_is_judged(issuer: Issuer) -> None:
    """When the issuer does not answer, a token is neither good nor bad."""
    token = issuer.token()
    issuer.up = False
    with pytest.raises(KeysUnavailable):
        tokens_of(issuer).identity(token)
    issuer.up = True
    assert tokens_of(issuer).identity(token)
