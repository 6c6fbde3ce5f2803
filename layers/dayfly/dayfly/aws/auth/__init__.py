"""From a bearer token to an identity: the token, the issuer's keys, and what is refused."""
