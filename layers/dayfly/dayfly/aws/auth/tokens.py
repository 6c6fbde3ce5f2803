"""Verifies bearer tokens, and makes identities of them.

Sources: RFC 7519 (JWT), RFC 8725 (best current practices), OpenID Connect Core 1.0 section 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt

from dayfly.aws.auth.signing_keys import ALGORITHMS, PublicKey, SigningKey
from dayfly.aws.auth.web_keys import WebKeys
from dayfly.context.claims import ChosenClaims, choose_claims
from dayfly.context.identity import tenant_name, user_name
from dayfly.errors import DayflyError

LEEWAY_S: Final = 30
"""By how many seconds the issuer's clock may differ."""
MAX_CHARS: Final = 8192


class BadToken(DayflyError):
    """The token is not one that this backend accepts. The reason is for the log."""


class WrongKey(BadToken):
    """None of the keys that were found has signed the token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for, until when (seconds since the epoch), and what agents may know of it."""

    user_id: str
    tenant_id: str
    expires_at: int
    claims: ChosenClaims


class Tokens:
    """Verifies tokens of one issuer. Process-lived; keeps no token.

    Args:
        keys: The issuer's.
        issuer: The `iss` that a token must have, character by character.
        audiences: A token must be meant for one of these.
        tenant_claim: The claim that names the tenant; empty for none.
        context_claims: The names of the claims that agents may know.
    """

    def __init__(
        self,
        keys: WebKeys,
        *,
        issuer: str,
        audiences: Sequence[str],
        tenant_claim: str,
        context_claims: Sequence[str] = (),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audiences = tuple(audiences)
        self._tenant_claim = tenant_claim
        self._context_claims = tuple(context_claims)

    def identity(self, token: str) -> Identity:
        """The identity that a token speaks for.

        Raises:
            BadToken: The token is not accepted.
            KeysUnavailable: The issuer's keys could not be had, so nothing is known about the token.
        """
        claims = self._claims(token)
        subject: str = claims["sub"]  # PyJWT takes no other type
        if not subject.strip():
            raise BadToken("empty subject")
        user = user_name(self._issuer, subject)
        return Identity(
            user_id=user,
            tenant_id=self._tenant(claims, user),
            expires_at=int(claims["exp"]),
            claims=choose_claims(claims, self._context_claims),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_CHARS:
            raise BadToken("too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise BadToken("no JWT") from error
        algorithm, key_id = header.get("alg"), header.get("kid")  # PyJWT takes no other id than a string
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise BadToken("not signed with an algorithm of public keys")
        keys = self._keys.find(key_id)
        try:
            return self._verified(token, algorithm, keys)
        except WrongKey:
            if not keys or (key_id is not None and keys[0].key_id is not None):
                raise
            # The key was found without its id, so it may have been replaced since.
            newer = self._keys.find_again(key_id)
            if newer == keys:
                raise
            return self._verified(token, algorithm, newer)

    def _verified(self, token: str, algorithm: str, keys: tuple[SigningKey, ...]) -> dict[str, Any]:
        """The claims of a token that one of these keys has signed. The key says which algorithms it may be used with,
        never the token (RFC 8725 section 3.1)."""
        refusal = WrongKey("the key is for another algorithm" if keys else "unknown key")
        for key in keys:
            if algorithm in key.algorithms:
                try:
                    return self._decoded(token, algorithm, key.key)
                except jwt.InvalidSignatureError as error:
                    refusal = WrongKey(type(error).__name__)
                except jwt.PyJWTError as error:
                    raise BadToken(type(error).__name__) from error
        raise refusal

    def _decoded(self, token: str, algorithm: str, key: PublicKey) -> dict[str, Any]:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "sub"], "verify_aud": False},  # the issuer is required by being given
        )
        self._require_audience(claims)
        return claims

    def _require_audience(self, claims: dict[str, Any]) -> None:
        """Raises PyJWT's errors for a token that is meant for none of ours.

        An access token of Amazon Cognito has no `aud`; the client's id, which is the audience of the ID token, has a
        claim of its own there.
        Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
        """
        audience = claims.get("aud")
        if "aud" not in claims and claims.get("token_use") == "access":
            audience = claims.get("client_id")
        if audience is None:
            raise jwt.MissingRequiredClaimError("aud")
        meant = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(one, str) for one in meant) or not set(meant) & set(self._audiences):
            raise jwt.InvalidAudienceError

    def _tenant(self, claims: dict[str, Any], user_id: str) -> str:
        if not self._tenant_claim:
            return user_id
        claim = claims.get(self._tenant_claim)
        if claim is None:
            return user_id
        if not isinstance(claim, str) or not claim.strip():
            raise BadToken("the tenant claim is not a name")
        return tenant_name(self._issuer, claim)
