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
        "`requestContext.domainName` is an address and a port, such as `127.0.0.1:40123`, where TLS is spoken.",
        "There is no name to resolve and no privilege to listen on port 443.",
    ),
    Deviation(
        "W",
        "Functions have the variables `AWS_CA_BUNDLE`, `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE`.",
        "The certificate of `https://{domainName}` is made at the start, and nothing else trusts it.",
    ),
    Deviation(
        "W",
        "Code that itself joins an API's id and region to `….execute-api.….amazonaws.com` asks AWS.",
        "Only the variables of a template that hold such an address are led to the emulator.",
    ),
    Deviation(
        "T",
        "Topics are delivered to queues alone; buckets notify nobody; tags, encryption, capacity and policies of "
        "resources have no effect.",
        "Each subscription and each property that is missed is named at the start.",
    ),
    Deviation(
        "D",
        "DynamoDB Local listens on every interface.",
        "It has no option for one. The data is found only under an access key id that is drawn at random.",
    ),
)
