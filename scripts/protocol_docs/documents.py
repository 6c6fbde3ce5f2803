"""What follows from the protocol's models, as text: the page, the AsyncAPI document and the sample events."""

import json

from scripts.protocol_docs.asyncapi import asyncapi_document
from scripts.protocol_docs.page import protocol_page
from scripts.protocol_docs.samples import sample_events


def documents() -> dict[str, str]:
    """Path from the repository's root to text, the same for the same models."""
    return {
        "docs/protocol.md": protocol_page(),
        "docs/asyncapi.json": json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n",
        **dict(sample_events()),
    }
