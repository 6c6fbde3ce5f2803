"""User and tenant names by a token's claims, for keys, tenant ids, logs and metrics."""

import base64
import hashlib
import json


def user_name(issuer: str, subject: str) -> str:
    """The user's name: `u-` and 26 characters of base32 (128 bits of SHA-256 over issuer and subject).

    Legal wherever AWS takes a name: DynamoDB keys, Lambda's `TenantId`, STS session tags. It holds nothing personal,
    and any subject works: `auth0|x`, `a#b`, Unicode, 255 characters.
    Source: OpenID Connect Core 1.0, section 2 (`sub` is unique within its issuer).
    """
    return f"u-{_digest(issuer, subject)}"


def tenant_name(issuer: str, claim: str) -> str:
    """The tenant's name from its claim, built in the same way: `o-` and 26 characters."""
    return f"o-{_digest(issuer, claim)}"


def _digest(issuer: str, value: str) -> str:
    # JSON keeps the pair unambiguous: no issuer and subject can be glued into another's.
    pair = json.dumps([issuer, value], ensure_ascii=True).encode()
    return base64.b32encode(hashlib.sha256(pair).digest()[:16]).decode().rstrip("=").lower()
