"""Ids that this backend gives: sortable by the time of their making, unguessable in the rest."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32 in lower case: it sorts as it counts
_TIME_CHARS = 10
_RANDOM_CHARS = 16


def new_thread_id(now_ms: int) -> str:
    """A thread's id, `t-` and 26 characters. `now_ms`: milliseconds since the epoch."""
    return f"t-{_sortable(now_ms)}"


def new_run_id(now_ms: int) -> str:
    """A run's id, `r-` and 26 characters. `now_ms`: milliseconds since the epoch."""
    return f"r-{_sortable(now_ms)}"


def new_nonce() -> str:
    """A random name for one handler entry, by which a writer knows its own records again: 22 characters."""
    return secrets.token_urlsafe(16)


def _sortable(now_ms: int) -> str:
    time = "".join(_ALPHABET[(now_ms >> 5 * place) & 31] for place in reversed(range(_TIME_CHARS)))
    return time + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
