"""The quotas of API Gateway WebSocket APIs; each can be shortened for a test."""

from dataclasses import dataclass

from emulator.limits import ChangeableLimits

_KB = 1024


@dataclass(frozen=True)
class Limits(ChangeableLimits):
    """Times in seconds, sizes in bytes.

    The defaults are AWS's quotas, from
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html;
    the last four are the emulator's own, since AWS publishes no figure.
    """

    integration_timeout: float = 29.0
    idle_timeout: float = 600.0
    connection_duration: float = 7200.0
    frame_bytes: int = 32 * _KB
    message_bytes: int = 128 * _KB
    # What may wait for a slow reader before a post is refused with 429, and how long it may stay so.
    send_buffer_bytes: int = 1024 * _KB
    slow_reader: float = 60.0
    # How long the client may take to answer a close frame.
    close_handshake: float = 5.0
    # Messages of one connection that are in Lambda's hands for less than a second; others wait (message_queue.py).
    socket_calls: int = 16
