"""Verifies bearer tokens, and makes identities of them.

Sources: RFC 7519 (JWT), RFC 8725 (best current practices), OpenID Connect Core 1.0 section 2.
"""

from dataclasses import dataclass
from typing import Any, Final

import jwt

from dayfly.aws.auth.web_keys import WebKeys
from dayfly.context.identity import tenant_name, user_name
from dayfly.errors import DayflyError

ALGORITHM: Final = "RS256"
"""The one algorithm, whatever a token's header says (RFC 8725 section 3.1): no `none`, and no public key taken for a
secret."""
LEEWAY_S: Final = 30
"""By how many seconds the issuer's clock may differ."""
MAX_CHARS: Final = 8192


class BadToken(DayflyError):
    """The token is not one that this backend accepts. The reason is for the log."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for, until when. `expires_at` is in seconds since the epoch."""

    user_id: str
    tenant_id: str
    expires_at: int


class Tokens:
    """Verifies tokens of one issuer for one audience. Process-lived; keeps no token."""

    def __init__(self, keys: WebKeys, *, issuer: str, audience: str, tenant_claim: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._tenant_claim = tenant_claim

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
        return Identity(user_id=user, tenant_id=self._tenant(claims, user), expires_at=int(claims["exp"]))

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_CHARS:
            raise BadToken("too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise BadToken("no JWT") from error
        key_id = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
            raise BadToken("not signed with RS256, or without a key id")
        key = self._keys.find(key_id)
        if key is None:
            raise BadToken("unknown key")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": ["exp", "sub"]},  # issuer and audience are required by being given
            )
        except jwt.PyJWTError as error:
            raise BadToken(type(error).__name__) from error

    def _tenant(self, claims: dict[str, Any], user_id: str) -> str:
        if not self._tenant_claim:
            return user_id
        claim = claims.get(self._tenant_claim)
        if claim is None:
            return user_id
        if not isinstance(claim, str) or not claim.strip():
            raise BadToken("the tenant claim is not a name")
        return tenant_name(self._issuer, claim)
