"""The ids of tool calls, which models choose."""

import hashlib

from dayfly.protocol.limits import TOOL_CALL_ID_CHARS


def fitting_call_id(call_id: str) -> str:
    """The id itself where events, keys and a client's `approve` can carry it; else its beginning with a hash of the
    whole behind it, so that calls which differ still do.

    Whatever names a call is named by this, in the journal as in events: what an earlier attempt began is known by it.
    A second time it changes nothing.
    """
    try:
        encoded = call_id.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON in UTF-8 can not carry
        encoded = call_id.encode("utf-8", "surrogatepass")
    else:
        if len(call_id) <= TOOL_CALL_ID_CHARS:
            return call_id
    digest = hashlib.sha256(encoded).hexdigest()
    beginning = call_id[: TOOL_CALL_ID_CHARS - len(digest) - 1].encode("utf-8", "replace").decode()
    return f"{beginning}-{digest}"
