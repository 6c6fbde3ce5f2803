"""Where the functions' state is kept and how, and what is told if it can't be."""

from dataclasses import dataclass
from pathlib import Path

from emulator.template.names import ACCOUNT_ID, REGION


class StateFailed(Exception):
    """The state could not be set up; the message says why in one line. `code` is AWS's error code, if there is one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


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
