"""What is known to differ from AWS and has no fact of its own: what cannot be asserted, or is not there at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Deviation:
    """What differs, and why. `area` is a letter of `facts.AREAS`."""

    area: str
    what: str
    why: str


KNOWN: Final[tuple[Deviation, ...]] = (
    Deviation(
        "W",
        "`requestContext.domainName` is an address and a port, such as `127.0.0.1:3001`.",
        "There is no name to resolve and no privilege to listen on port 443.",
    ),
    Deviation(
        "D",
        "DynamoDB Local listens on every interface.",
        "It has no option for one. The data is found only under an access key id that is drawn at random.",
    ),
)
