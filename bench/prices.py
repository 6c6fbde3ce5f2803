"""The list prices, all in one dated file."""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

FILE: Final = Path(__file__).with_name("prices.json")

Billed = Literal[
    "websocket_message",
    "connection_minute",
    "lambda_request",
    "lambda_gb_second",
    "dynamodb_read",
    "dynamodb_write",
    "log_gb",
]


class Price(BaseModel):
    """What one `unit` costs, in the file's currency. `page` is AWS's, `read_on` where the figure was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per: float
    unit: str
    page: str
    read_on: str
    verified: str


class Prices(BaseModel):
    """A price for each thing that is counted, of one region and day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    currency: str
    dated: str
    comment: str
    prices: dict[Billed, Price]
    not_counted: tuple[str, ...]

    @classmethod
    def read(cls) -> "Prices":
        """The file's prices. Raises pydantic's `ValidationError`."""
        return cls.model_validate_json(FILE.read_bytes())
