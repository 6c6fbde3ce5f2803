"""From a token to an identity."""
