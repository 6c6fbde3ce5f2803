"""The keys of a published set that verify signatures, each with the algorithms that it is for.

Sources: RFC 7517 (JSON Web Key), RFC 7518 section 3 (the algorithms), RFC 8037 (Ed25519), RFC 8725 section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_BY_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ALGORITHMS: Final = _RSA | frozenset(_BY_CURVE.values()) | {"EdDSA"}
"""The algorithms of which a token may be signed by one: with public keys alone. Neither `none`, nor any by which a
published key could be taken for a shared secret (HS256 …)."""
_MIN_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One published key; `key_id` is `None` where the issuer gave it none (RFC 7517 section 4.5)."""

    key_id: str | None
    key: PublicKey
    algorithms: frozenset[str]


def signing_keys(published: list[object]) -> tuple[SigningKey, ...]:
    """The entries that verify signatures, in their order. Entries of other kinds (for encryption, of unknown types or
    algorithms, too short, private, broken) are passed over: an issuer may publish them beside those."""
    found = (_signing_key(entry) for entry in published if isinstance(entry, dict))
    return tuple(key for key in found if key is not None)


def _signing_key(entry: Mapping[str, object]) -> SigningKey | None:
    key_id, use, operations = entry.get("kid"), entry.get("use"), entry.get("key_ops")
    if not isinstance(key_id, str | None) or use not in (None, "sig"):
        return None
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        return None
    key, algorithms = _public_key(entry)
    if (named := entry.get("alg")) is not None:
        algorithms = algorithms & {named} if isinstance(named, str) else frozenset[str]()
    return SigningKey(key_id, key, algorithms) if key is not None and algorithms else None


def _public_key(entry: Mapping[str, object]) -> tuple[PublicKey | None, frozenset[str]]:
    """The key, with all that its type and curve can verify."""
    jwk, nothing = dict(entry), frozenset[str]()
    try:
        match entry.get("kty"):
            case "RSA":
                rsa = RSAAlgorithm.from_jwk(jwk)
                if isinstance(rsa, RSAPublicKey) and rsa.key_size >= _MIN_RSA_BITS:  # RFC 7518 section 3.3
                    return rsa, _RSA
            case "EC":
                curve = ECAlgorithm.from_jwk(jwk)
                if isinstance(curve, EllipticCurvePublicKey):
                    return curve, frozenset({_BY_CURVE.get(str(entry.get("crv")), "")}) & ALGORITHMS
            case "OKP":
                edwards = OKPAlgorithm.from_jwk(jwk)
                if isinstance(edwards, Ed25519PublicKey):
                    return edwards, frozenset({"EdDSA"})
    except (InvalidKeyError, ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        return None, nothing  # what an entry's members may be, and PyJWT takes them for strings
    return None, nothing
