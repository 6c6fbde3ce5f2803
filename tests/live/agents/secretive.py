"""Reads secrets, settings and claims, and tells all it can: say charge, bill, quarrel, introduce or locate."""

import hashlib
import logging
import os
from urllib.parse import quote

from dayfly.agents.sdk import AgentDefinition, Tool, ToolContext


def seen(key: str) -> dict[str, str]:
    """The key in several spellings, and by what a test knows it though it is not shown."""
    return {"plain": f"I have {key}", "url": f"https://shop.example/?k={quote(key)}", "digest": digest(key)}


def digest(key: str) -> str:
    """What a test recognises a key by."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


async def charge(context: ToolContext, fresh: bool = False) -> dict[str, str]:
    """Charges the card.

    Args:
        fresh: Whether to read the key anew.
    """
    key = await context.secret("STRIPE_KEY", fresh=fresh)
    await context.progress(f"With {key}")
    return {**seen(key), "shop": await context.setting("SHOP_URL", fresh=fresh)}


def bill(context: ToolContext) -> dict[str, str]:
    """Sends a bill."""
    return {**seen(context.secret_sync("BILL_KEY")), "local": digest(context.secret_sync("LOCAL_KEY"))}


async def quarrel(context: ToolContext) -> str:
    """Quarrels with the shop."""
    key = await context.secret("STRIPE_KEY")
    logging.getLogger("shop").warning("refused with %s", key)
    raise ValueError(f"The shop does not like {key}.")


def introduce(context: ToolContext) -> dict[str, object]:
    """Says who is asking."""
    return dict(context.claims)


def locate() -> dict[str, str]:
    """Says where the table is."""
    return {"url": os.environ["AWS_ENDPOINT_URL_DYNAMODB"], "name": os.environ["TABLE_NAME"]}


agent = AgentDefinition(
    instructions="You keep secrets.",
    tools=(charge, bill, quarrel, Tool(introduce, requires_approval=True), locate),
)
