"""The issuer's public keys: fetched, cached, and fetched again when a token names one that is not known.

Sources: RFC 7517 (JSON Web Key), OpenID Connect Discovery 1.0.
"""

import json
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWKSet
from jwt.exceptions import PyJWKSetError

from dayfly.clock import Clock
from dayfly.errors import ConfigurationError, DayflyError

FRESH_S: Final = 600.0
"""For how many seconds fetched keys are used without asking again."""
GRACE_S: Final = 3600.0
"""For how many seconds they are used while the issuer does not answer."""
FORCED_S: Final = 10.0
"""An unknown key id has the keys fetched before that, once in so many seconds at most: a rotated key is found at once,
and a flood of made-up ids asks no more often."""
FAILED_S: Final = 2.0
"""For how many seconds a failed fetch is not repeated."""
_TIMEOUT_S: Final = 3.0
_MAX_BYTES: Final = 512 * 1024
_MIN_RSA_BITS: Final = 2048
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class KeysUnavailable(DayflyError):
    """The issuer's keys could not be had, so no token can be judged: neither good nor bad."""


class WebKeys:
    """The RSA signing keys of one issuer, by key id. Process-lived."""

    def __init__(self, *, issuer: str, jwks_url: str, clock: Clock) -> None:
        require_secure(jwks_url or issuer)
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._clock = clock
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched: float | None = None
        self._forced: float | None = None
        self._failed: float | None = None

    def find(self, key_id: str) -> RSAPublicKey | None:
        """The key with this id, or `None` where the issuer has no such key. Raises `KeysUnavailable`."""
        if not self._is_within(self._fetched, FRESH_S):
            self._refresh(needed=not (key_id in self._keys and self._is_within(self._fetched, GRACE_S)))
        elif key_id not in self._keys and not self._is_within(self._forced, FORCED_S):
            self._forced = self._clock.monotonic()
            self._refresh(needed=True)
        return self._keys.get(key_id)

    def _refresh(self, *, needed: bool) -> None:
        if self._is_within(self._failed, FAILED_S):
            if needed:
                raise KeysUnavailable("the issuer's keys could not be fetched a moment ago")
            return
        try:
            self._keys = _rsa_keys(_fetch_json(self._jwks_url or self._discovered()))
        except KeysUnavailable:
            self._failed = self._clock.monotonic()
            if needed:
                raise
        else:
            self._fetched = self._clock.monotonic()

    def _discovered(self) -> str:
        """The address of the keys, as the issuer's configuration says. There is no guess beside it: an issuer without
        discovery has its `JWT_JWKS_URL` set."""
        configuration = _fetch_json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0, section 4.3: the issuer must be exactly the one that was asked for.
        if configuration.get("issuer") != self._issuer:
            raise KeysUnavailable("the discovered configuration is another issuer's")
        url = configuration.get("jwks_uri")
        if not isinstance(url, str):
            raise KeysUnavailable("the discovered configuration has no jwks_uri")
        try:
            require_secure(url)
        except ConfigurationError as error:
            raise KeysUnavailable("the discovered jwks_uri is not https") from error
        return url

    def _is_within(self, then: float | None, seconds: float) -> bool:
        return then is not None and self._clock.monotonic() - then < seconds


def require_secure(url: str) -> None:
    """Raises `ConfigurationError` unless the URL is https, or http to this very machine (the development issuer)."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise ConfigurationError(f"keys are fetched over https, or over http from loopback, not from {url!r}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """A redirect could lead away from https; it is answered as the error it then is."""


def _fetch_json(url: str) -> Mapping[str, Any]:
    direct = (urllib.request.ProxyHandler({}),) if urlsplit(url).hostname in _LOOPBACK else ()
    opener = urllib.request.build_opener(_NoRedirect(), *direct)
    try:
        with opener.open(url, timeout=_TIMEOUT_S) as answer:
            body = json.loads(answer.read(_MAX_BYTES))
    except (OSError, HTTPException, ValueError) as error:
        raise KeysUnavailable(f"{urlsplit(url).path}: {type(error).__name__}") from error
    if not isinstance(body, dict):
        raise KeysUnavailable(f"{urlsplit(url).path} is no JSON object")
    return body


def _rsa_keys(document: Mapping[str, Any]) -> Mapping[str, RSAPublicKey]:
    """The keys fit for RS256: RSA, for signatures, not shorter than RFC 7518 section 3.3 asks."""
    try:
        published = PyJWKSet.from_dict(dict(document)).keys
    except (PyJWKSetError, TypeError) as error:
        raise KeysUnavailable("the issuer has published no usable key") from error
    return {
        jwk.key_id: jwk.key
        for jwk in published
        if isinstance(jwk.key_id, str)
        and jwk.public_key_use in (None, "sig")
        and jwk.algorithm_name == "RS256"
        and isinstance(jwk.key, RSAPublicKey)
        and jwk.key.key_size >= _MIN_RSA_BITS
    }
