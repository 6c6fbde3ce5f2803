"""The issuer's public keys: fetched, cached, and fetched again when a token names one that is not known.

Sources: RFC 7517 (JSON Web Key), OpenID Connect Discovery 1.0, OpenID Connect Core 1.0 section 10.1 (key ids).
"""

from typing import Final

from dayfly.aws.auth.json_fetch import KeysUnavailable, fetch_json, require_secure
from dayfly.aws.auth.signing_keys import SigningKey, signing_keys
from dayfly.clock import Clock
from dayfly.errors import ConfigurationError

FRESH_S: Final = 600.0
"""For how many seconds fetched keys are used without asking again."""
GRACE_S: Final = 3600.0
"""For how many seconds they are used while the issuer does not answer."""
FORCED_S: Final = 10.0
"""An unknown key id has the keys fetched before that, once in so many seconds at most: a rotated key is found at once,
and a flood of made-up ids asks no more often."""
FAILED_S: Final = 2.0
"""For how many seconds a failed fetch is not repeated."""


class WebKeys:
    """The signing keys of one issuer. Process-lived."""

    def __init__(self, *, issuer: str, jwks_url: str, clock: Clock) -> None:
        require_secure(jwks_url or issuer)
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._fetched: float | None = None
        self._forced: float | None = None
        self._failed: float | None = None

    def find(self, key_id: str | None) -> tuple[SigningKey, ...]:
        """The keys that a token may be signed with that names this id; as a rule one, or none where the issuer has no
        such key.

        A token without an id may be signed with the issuer's only key, and an only key without an id may sign a token
        with one; of several keys, one is found by its id alone. Raises `KeysUnavailable`.
        """
        if not self._is_within(self._fetched, FRESH_S):
            self._refresh(needed=not (self._known(key_id) and self._is_within(self._fetched, GRACE_S)))
        elif not self._known(key_id) and self._may_force():
            self._force()
        return self._known(key_id)

    def find_again(self, key_id: str | None) -> tuple[SigningKey, ...]:
        """As `find`, for a token that was signed with none of the keys that were found: one without an id may have been
        replaced since. Asks the issuer as often at most as for unknown ids."""
        if self._may_force():
            self._force()
        return self._known(key_id)

    def _known(self, key_id: str | None) -> tuple[SigningKey, ...]:
        if len(self._keys) == 1 and (key_id is None or self._keys[0].key_id is None):
            return self._keys
        return tuple(key for key in self._keys if key_id is not None and key.key_id == key_id)

    def _may_force(self) -> bool:
        return not self._is_within(self._forced, FORCED_S)

    def _force(self) -> None:
        self._forced = self._clock.monotonic()
        self._refresh(needed=True)

    def _refresh(self, *, needed: bool) -> None:
        if self._is_within(self._failed, FAILED_S):
            if needed:
                raise KeysUnavailable("the issuer's keys could not be fetched a moment ago")
            return
        try:
            self._keys = _published(self._jwks_url or self._discovered())
        except KeysUnavailable:
            self._failed = self._clock.monotonic()
            if needed:
                raise
        else:
            self._fetched = self._clock.monotonic()

    def _discovered(self) -> str:
        """The address of the keys, as the issuer's configuration says. There is no guess beside it: an issuer without
        discovery has its `JWT_JWKS_URL` set."""
        configuration = fetch_json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        # OpenID Connect Discovery 1.0, section 4.3: the issuer must be exactly the one that was asked for.
        if (found := configuration.get("issuer")) != self._issuer:
            raise KeysUnavailable(
                f"the discovered configuration is another issuer's: {found!r:.200} is not {self._issuer!r}"
            )
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


def _published(url: str) -> tuple[SigningKey, ...]:
    published = fetch_json(url).get("keys")
    keys = signing_keys(published) if isinstance(published, list) else ()
    if not keys:
        raise KeysUnavailable("the issuer has published no usable key")
    return keys
