"""The way out to one connection."""

from typing import Protocol


class Poster(Protocol):
    """Posts frames through API Gateway's management API."""

    async def post(self, connection_id: str, frame: bytes) -> None:
        """Sends one frame; throttling is retried inside, with the same frame.

        Raises `Gone` (410: the viewer left), `Unsettled` (throttled for too long, time-out: it may have arrived), or
        `PostRefused` (anything that trying again will not mend).
        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
        """
