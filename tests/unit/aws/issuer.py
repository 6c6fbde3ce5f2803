"""A token issuer for tests: real RSA keys, served as JWKS from loopback, and every way to make a bad token."""

import base64
import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from tests.unit.aws.loopback import Answer, Loopback, Request

AUDIENCE = "dayfly"


def key(name: str, bits: int = 2048) -> RSAPrivateKey:
    """One private key a name and length, however the length was said."""
    return _made(name, bits)


@cache
def _made(_name: str, bits: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=bits)


def public_jwk(name: str, bits: int = 2048, **more: str) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(key(name, bits).public_key(), as_dict=True)
    return {**jwk, "kid": name, "use": "sig", "alg": "RS256", **more}


def encoded(value: object) -> str:
    """Base64url, as a token's parts are: of bytes as they are, of anything else as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Issuer:
    """Publishes `published` at its JWKS address; `up` and `configuration` can be changed. `moved` is the status of a
    redirect to where the keys lie then."""

    server: Loopback
    published: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("one")])
    up: bool = True
    moved: int | None = None
    configuration: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.server.answer = self._answer

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/keys"

    @property
    def fetches(self) -> int:
        return sum(request.path == "/keys" for request in self.server.requests)

    def claims(self, **changes: object) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "auth0|alice", "iat": now, "exp": now + 600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, kid: str = "one", bits: int = 2048, **changes: object) -> str:
        return jwt.encode(self.claims(**changes), key(kid, bits), algorithm="RS256", headers={"kid": kid})

    def signed(self, claims: object, **header: object) -> str:
        """Signed by hand with the published key, whatever the claims and the header say: PyJWT itself refuses to make
        some tokens."""
        signed = ".".join(encoded(part) for part in ({"alg": "RS256", "kid": "one", **header}, claims))
        return f"{signed}.{encoded(RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed.encode(), key('one')))}"

    def _answer(self, request: Request) -> Answer:
        if not self.up:
            return Answer(503)
        if request.path == "/keys" and self.moved is not None:
            return Answer(self.moved, headers={"Location": f"{self.url}/moved"})
        if request.path in ("/keys", "/moved"):
            return Answer(body=json.dumps({"keys": self.published}).encode())
        if request.path == "/.well-known/openid-configuration":
            document = self.configuration or {"issuer": self.url, "jwks_uri": self.jwks_url}
            return Answer(body=json.dumps(document).encode())
        return Answer(404)
