"""Connection, message and request ids in the form that API Gateway gives them."""

import base64
import os
import re

# 11 bytes are 15 characters and one "=", as in `L0SM9cOFvHcCIhw=`. Clients must URL-encode the "=".
_BYTES = 11
_FORM = re.compile(r"[A-Za-z0-9_-]{15}=")


def new_id() -> str:
    """A fresh id of 16 characters."""
    return base64.urlsafe_b64encode(os.urandom(_BYTES)).decode()


def is_id(text: str) -> bool:
    """Whether `text` could be an id of API Gateway at all."""
    return _FORM.fullmatch(text) is not None
