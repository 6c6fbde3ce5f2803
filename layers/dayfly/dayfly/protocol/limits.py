"""The limits of the wire, each with its unit and reason. The one place where these numbers stand."""

from typing import Final

SUBPROTOCOL: Final = "dayfly.v1"

FRAME_BYTES: Final = 32 * 1024
"""Bytes of one WebSocket frame. API Gateway closes the socket with 1009 beyond it. No code here measures what is sent:
it fits because `EVENT_BYTES` and the bounds of replies are below; tests check this.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""

TEXT_BYTES: Final = 24 * 1024
"""Bytes of `run.text` as a JSON string (quotes and escapes counted, UTF-8, non-ASCII raw): it leaves room for the
envelope of `user_message` inside a frame."""

EVENT_BYTES: Final = 28 * 1024
"""Bytes of one encoded event: below a frame, with room for a longer envelope in a later version. Held by construction:
each text in an event is cut to its size where its payload is made; tests check the sum."""

JSON_DEPTH: Final = 16
"""How deep objects and arrays of a client's frame may nest. The protocol itself needs 2."""

REQUEST_ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
"""The client's own request id."""

ENTITY_ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
"""Ids of threads, runs and agents as they appear on the wire."""

TOOL_CALL_ID_CHARS: Final = 256
"""Characters of a tool call's id."""

TITLE_CHARS: Final = 200
"""Characters of a title that a client gives."""

CURSOR_CHARS: Final = 512
"""Characters of a cursor of `threads` or `history`."""

ATTACH_CURSORS: Final = 50
"""Runs that one `attach` may name in `after`."""
