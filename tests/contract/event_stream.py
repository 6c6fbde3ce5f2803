"""The encoding of application/vnd.amazon.eventstream, written from its description.

A message: total length, length of the headers, CRC-32 of these two, headers, payload, CRC-32 of all before; numbers
are big-endian, 4 bytes. A header: length of its name (1 byte), name, type (7: string), length of the value (2 bytes),
value.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html and
https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import json
import struct
import zlib

from pydantic import JsonValue

CONTENT_TYPE = "application/vnd.amazon.eventstream"
STRING = 7


def event(kind: str, payload: dict[str, JsonValue]) -> bytes:
    """One event of the stream."""
    return _message({":message-type": "event", ":event-type": kind, ":content-type": "application/json"}, payload)


def exception(kind: str, message: str) -> bytes:
    """An exception in the middle of the stream."""
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return _message(headers, {"message": message})


def _message(headers: dict[str, str], payload: dict[str, JsonValue]) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload).encode()  # escapes what UTF-8 has no form for, such as half a character
    prelude = struct.pack(">II", 12 + len(head) + len(body) + 4, len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", STRING, len(text)) + text
