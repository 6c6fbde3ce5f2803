"""An answer that a program reads: "My parcel is 3 days late, which is of high urgency".

`output` is the type of the answer: clients get it as JSON in `agent_completed.output`, and its text as `result`. The
instructions are a function: they say what day it is, and what this user has asked to be remembered.
"""

from typing import Literal

from pydantic import BaseModel, Field

from dayfly.agents.sdk import AgentContext, AgentDefinition
from dayfly.agents.tools import remember


class Ticket(BaseModel):
    """What the help desk needs to know."""

    subject: str = Field(max_length=120, description="One line.")
    urgency: Literal["low", "normal", "high"]
    days_waiting: int = Field(ge=0, description="For how many days the user has waited.")
    tags: list[str] = Field(default_factory=list, max_length=5)


async def instructions(context: AgentContext) -> str:
    """What the model is told in this run."""
    today = context.clock.now_ms() // 86_400_000
    notes = "; ".join(note.text for note in await context.notes.all())
    return (
        f"You write tickets for a help desk. It is day {today} since 1970. "
        f"What the user has asked to be remembered: {notes or 'nothing'}."
    )


agent = AgentDefinition(instructions=instructions, tools=(remember,), output=Ticket)
