"""Has tools that run over their time or tell too much, an answer that fits at the second try, and instructions that may
fail: "Wait for a minute", "Block the thread", "Count to many"."""

import asyncio
import time

from pydantic import BaseModel, field_validator

from dayfly.agents.sdk import AgentContext, AgentDefinition, AgentFailed, Tool, ToolContext


async def wait_minute(context: ToolContext) -> str:
    """Waits for a minute."""
    await context.progress("waiting")
    await asyncio.sleep(60)
    return "waited"


def block_thread() -> str:
    """Blocks for a minute, in its thread."""
    time.sleep(60)
    return "blocked"


async def count_many(context: ToolContext) -> str:
    """Tells ten thousand numbers in two seconds."""
    for number in range(1, 10_001):
        await context.progress(f"{number:05}")
        if number % 100 == 0:
            await asyncio.sleep(0.02)
    return "counted"


async def pay_bill(context: ToolContext, euros: int) -> str:
    """Pays the bill.

    Args:
        euros: How much.
    """
    await context.progress("paying")
    return f"{euros} euros paid"


class Report(BaseModel):
    """What came of it, in few words."""

    said: str

    @field_validator("said")
    @classmethod
    def _is_no_greeting(cls, value: str) -> str:
        if value.startswith("Hello!"):
            raise ValueError("a report greets nobody")
        return value


def instructions(context: AgentContext) -> str:
    """Fails where the user says so."""
    if "broken" in context.text:
        raise KeyError("hunter2")
    if "refused" in context.text:
        ids = context.context
        raise AgentFailed(f"{ids.agent_name} has no words for attempt {ids.attempt}.")
    return "Report."


agent = AgentDefinition(
    instructions=instructions,
    tools=(
        Tool(wait_minute, timeout_s=1),
        Tool(block_thread, timeout_s=1),
        Tool(count_many, timeout_s=30),
        Tool(pay_bill, requires_approval=True, idempotent=True),
    ),
    output=Report,
)
