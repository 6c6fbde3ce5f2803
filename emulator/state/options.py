"""Where the functions' state is kept and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emulator.template.names import ACCOUNT_ID, REGION


@dataclass(frozen=True, kw_only=True)
class StateOptions:
    """Times are in seconds."""

    region: str = REGION
    account_id: str = ACCOUNT_ID
    start_s: float = 60.0
    """Bound of the wait for each process; a first start after an installation compiles everything."""

    token_s: float = 600.0
    """How long a ClientRequestToken is remembered."""

    dynamodb_jar: Path | None = None
    """DynamoDBLocal.jar, its libraries beside it: it keeps the tables then, instead of moto."""

    data: Path | None = None
    """Where DynamoDB Local keeps its data across restarts; None keeps it in memory."""
