"""Both documents as text."""

import json

from scripts.protocol_docs.asyncapi import asyncapi_document
from scripts.protocol_docs.page import protocol_page


def documents() -> dict[str, str]:
    """File name to text, the same for the same models."""
    return {
        "protocol.md": protocol_page(),
        "asyncapi.json": json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n",
    }
