"""One WebSocket on the wire: bytes to frames and back, nothing about routes.

The protocol itself is `websockets`' core without I/O, since it hands over single frames: API Gateway's quota of
32 KB concerns frames, so a library that only shows whole messages could not keep it.
"""

import asyncio
import logging
from http import HTTPStatus
from http.client import responses as REASON_PHRASES  # noqa: N812 - a constant table
from typing import Protocol

from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from emulator.gateway.handshake import Accepted, Refused
from emulator.gateway.limits import Limits

_QUIET = logging.getLogger("emulator.websockets")
_QUIET.setLevel(logging.WARNING)

# What `$disconnect` says when the close frame itself carried no reason.
REASONS: dict[int, str] = {
    CloseCode.NORMAL_CLOSURE: "Connection Closed Normally",
    CloseCode.GOING_AWAY: "Going away",
    CloseCode.NO_STATUS_RCVD: "Client-side close frame status not set",
}


class Listener(Protocol):
    """Who owns a socket. `closed` comes exactly once after the handshake has completed, nothing after it."""

    def received(self, text: str) -> None:
        """A whole text message came."""
        ...

    def closed(self, code: int, reason: str) -> None:
        """The WebSocket is over, by the client, the server or the network."""
        ...


class Socket(asyncio.Protocol):
    """A server-side WebSocket that takes over a transport whose upgrade request has been read."""

    def __init__(self, transport: asyncio.Transport, *, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits
        # No extensions: API Gateway does not negotiate permessage-deflate.
        self._ws = ServerProtocol(max_size=(None, limits.frame_bytes), logger=_QUIET)
        self._response: Response | None = None
        self._listener: Listener | None = None
        self._fragments: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self.congested = False
        transport.set_write_buffer_limits(high=limits.send_buffer_bytes)

    # The handshake

    def begin(self, request: bytes) -> bool:
        """Check the upgrade request; a wrong one is answered at once (RFC 6455 section 4.2.1) and gives False."""
        self._ws.receive_data(request)
        event = next(iter(self._ws.events_received()), None)
        if not isinstance(event, Request):
            self._flush()
            return False
        self._response = self._ws.accept(event)
        if self._response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._ws.send_response(self._response)
            self._flush()
            return False
        # Until $connect has answered there is nothing the client may say.
        self._transport.pause_reading()
        return True

    def accept(self, accepted: Accepted, listener: Listener) -> None:
        """Complete the handshake; from now on `listener` hears of everything."""
        response = self._response
        if response is None:
            raise InvalidState("no handshake is under way")
        if accepted.subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = accepted.subprotocol
        self._listener = listener
        self._ws.send_response(response)
        self._flush()
        if self._transport.is_closing():
            self._over(CloseCode.ABNORMAL_CLOSURE, "")
        else:
            self._transport.resume_reading()

    def refuse(self, refused: Refused) -> None:
        """Answer the upgrade request with a plain HTTP response."""
        headers = Headers(refused.headers)
        headers["Content-Length"] = str(len(refused.body))
        headers["Connection"] = "close"
        self._ws.send_response(Response(refused.status, REASON_PHRASES.get(refused.status, ""), headers, refused.body))
        if not self._transport.is_closing():
            self._transport.resume_reading()
        self._flush()

    def hold(self, held: bool) -> None:
        """Stop reading from the client, or go on."""
        if self._transport.is_closing():
            return
        if held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def limit(self, limits: Limits) -> None:
        """Keep other limits from now on; a message that is half received is measured by them too."""
        self._limits = limits
        self._ws.max_fragment_size = limits.frame_bytes
        self._transport.set_write_buffer_limits(high=limits.send_buffer_bytes)

    # Sending

    def send(self, data: bytes) -> None:
        """Send one text message, as several frames if it is longer than one may be. Dropped once closing."""
        if self._ws.state is not State.OPEN:
            return
        step = self._limits.frame_bytes
        if len(data) <= step:
            self._ws.send_text(data)
        else:
            self._ws.send_text(data[:step], fin=False)
            for start in range(step, len(data), step):
                self._ws.send_continuation(data[start : start + step], fin=start + step >= len(data))
        self._flush()

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake; `closed` is reported at once."""
        if self._ws.state is State.OPEN:
            if self._ws.expect_continuation_frame:
                self._ws.fail(code, reason)
            else:
                self._ws.send_close(code, reason)
            self._flush()
            self._give_up_later()
        self._over(code, reason)

    def end(self) -> None:
        """Close TCP as soon as what was sent has left."""
        self._transport.close()

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Frame):
                self._on_frame(event)
        self._flush()
        if self._ws.parser_exc is not None:
            self._failed()

    def eof_received(self) -> None:
        """The client closed its half; asyncio then closes the transport."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone, with or without a close frame before."""
        if self._timer is not None:
            self._timer.cancel()
        self._over(CloseCode.ABNORMAL_CLOSURE, "")

    def pause_writing(self) -> None:
        """The client reads too slowly: posts are refused from now on."""
        self.congested = True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._limits.slow_reader, self._transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.congested = False
        if self._ws.state is State.OPEN and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Frames

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._on_text(frame)
        elif frame.opcode is Opcode.BINARY:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
            self._fail(CloseCode.UNSUPPORTED_DATA, "Binary frames are not supported")
        elif frame.opcode is Opcode.CLOSE:
            close = self._ws.close_rcvd or Close(CloseCode.NO_STATUS_RCVD, "")
            self._give_up_later()
            self._over(close.code, close.reason)

    def _on_text(self, frame: Frame) -> None:
        self._fragments.append(bytes(frame.data))
        self._size += len(frame.data)
        if self._size > self._limits.message_bytes:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "Message too long")
            return
        if not frame.fin:
            return
        data, self._fragments, self._size = b"".join(self._fragments), [], 0
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "Invalid UTF-8")
            return
        if self._listener is not None:
            self._listener.received(text)

    def _fail(self, code: int, reason: str) -> None:
        if self._ws.state is State.OPEN:
            self._ws.fail(code, reason)
            self._flush()
            self._failed()

    def _failed(self) -> None:
        # Reading goes on (and is thrown away) so that the close frame is not lost to a TCP reset.
        self._fragments, self._size = [], 0
        self._give_up_later()
        close = self._ws.close_sent or Close(CloseCode.ABNORMAL_CLOSURE, "")
        self._over(close.code, close.reason)

    # Ends

    def _over(self, code: int, reason: str) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self.hold(False)  # or the client's close frame, and its leaving, would not be seen
            listener.closed(int(code), reason or REASONS.get(int(code), ""))

    def _give_up_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._limits.close_handshake, self._transport.abort)

    def _flush(self) -> None:
        chunks = self._ws.data_to_send()
        if not chunks or self._transport.is_closing():
            return
        ends = chunks[-1] == SEND_EOF
        self._transport.write(b"".join(chunks))
        if ends:
            self._give_up_later()
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
