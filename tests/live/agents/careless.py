"""Has a tool that takes three seconds and may not run twice: "Deliver the parcel to Kiel"."""

import asyncio

from dayfly.agents.sdk import AgentDefinition


async def deliver(to: str) -> str:
    """Delivers the parcel.

    Args:
        to: Where it goes.
    """
    await asyncio.sleep(3)
    return f"Delivered to {to}."


agent = AgentDefinition(instructions="You deliver parcels.", tools=(deliver,))
