"""The port to one WebSocket connection."""

from typing import Protocol


class Poster(Protocol):
    """Posts frames through API Gateway's management API."""

    async def post(self, connection_id: str, frame: bytes) -> None:
        """Sends one frame. Retries the same frame while it is throttled.

        Raises:
            Gone: The connection is closed (HTTP 410).
            Unsettled: Throttled for too long, or a time-out: the frame may have arrived.
            PostRefused: Any other answer; a retry does not help.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
        """
