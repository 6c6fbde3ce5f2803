"""A development token issuer: mints RS256 tokens for anybody who asks. It exists only in the emulator."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# No Access-Control-Allow-Origin: a web site open in the same browser must not be able to mint itself a token.
_FRESH = {"Cache-Control": "no-store"}
_MAX_TTL_S = 30 * 24 * 3600


@dataclass(frozen=True)
class _Key:
    kid: str
    private: RSAPrivateKey

    @classmethod
    def make(cls) -> "_Key":
        return cls(kid=uuid.uuid4().hex, private=generate_private_key(public_exponent=65537, key_size=2048))

    def public(self) -> dict[str, object]:
        """The key as a JWK (RFC 7517)."""
        jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}


class Issuer:
    """Signs with its newest key and publishes all it has. `url` is the `iss` claim, `audience` the default `aud`."""

    def __init__(self, *, url: str, audience: str) -> None:
        self._url = url
        self._audience = audience
        self._keys: list[_Key] = []

    def token(
        self,
        *,
        user: str,
        tenant: str | None,
        ttl: float,
        audience: str | None = None,
        more: Mapping[str, object] | None = None,
    ) -> tuple[str, datetime]:
        """A token for `user` (`sub`) that expires in `ttl` seconds, in the past if negative, and the time it does. Of
        `more` claims those count that the token does not have anyway."""
        now = int(time.time())
        expires = now + int(ttl)
        claims: dict[str, object] = {
            **(more or {}),
            "iss": self._url,
            "aud": audience or self._audience,
            "sub": user,
            "iat": min(now, expires),
            "exp": expires,
        }
        if tenant is not None:
            claims["tenant"] = tenant
        key = self.prepare()
        encoded = jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})
        return encoded, datetime.fromtimestamp(expires, UTC)

    def prepare(self) -> _Key:
        """The signing key, made at the first call, which takes a tenth of a second."""
        if not self._keys:
            self._keys.append(_Key.make())
        return self._keys[-1]

    def jwks(self) -> dict[str, object]:
        """The public keys (RFC 7517 section 5)."""
        self.prepare()
        return {"keys": [key.public() for key in self._keys]}

    def rotate(self, *, retire: bool = False) -> None:
        """Sign with a new key from now on; the old ones stay published unless `retire`."""
        fresh = _Key.make()
        self._keys = [fresh] if retire else [*self._keys, fresh]

    def routes(self) -> list[Route]:
        """The issuer's HTTP endpoints."""
        return [
            Route("/.well-known/jwks.json", self._serve_jwks),
            Route("/.well-known/openid-configuration", self._serve_configuration),
            Route("/token", self._serve_token, methods=["GET", "POST"]),
            Route("/_emulator/issuer/rotate", self._serve_rotate, methods=["POST"]),
        ]

    async def _serve_jwks(self, _: Request) -> Response:
        return JSONResponse(self.jwks(), headers=_FRESH)

    async def _serve_configuration(self, _: Request) -> Response:
        configuration = {
            "issuer": self._url,
            "jwks_uri": f"{self._url}/.well-known/jwks.json",
            "token_endpoint": f"{self._url}/token",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }
        return JSONResponse(configuration, headers=_FRESH)

    async def _serve_token(self, request: Request) -> Response:
        query = request.query_params
        user = query.get("user", "")
        ttl = _seconds(query.get("ttl", "3600"))
        if not user:
            return JSONResponse({"error": "the query parameter user is missing"}, status_code=400, headers=_FRESH)
        if ttl is None:
            return JSONResponse({"error": "ttl is no number of seconds"}, status_code=400, headers=_FRESH)
        more = _object(query.get("claims", "{}"))
        if more is None:
            return JSONResponse({"error": "claims is no JSON object"}, status_code=400, headers=_FRESH)
        token, expires = self.token(
            user=user, tenant=query.get("tenant"), ttl=ttl, audience=query.get("audience"), more=more
        )
        stamp = expires.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Response(
            json.dumps({"token": token, "expires_at": stamp}), media_type="application/json", headers=_FRESH
        )

    async def _serve_rotate(self, request: Request) -> Response:
        self.rotate(retire=request.query_params.get("retire") in ("1", "true"))
        return JSONResponse(self.jwks(), headers=_FRESH)


def _object(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if -_MAX_TTL_S <= seconds <= _MAX_TTL_S else None
