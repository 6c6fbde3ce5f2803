"""Times as the wire shows them."""

from datetime import UTC, datetime


def rfc3339(at_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, with milliseconds: `2026-11-22T10:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
