"""`examples/agents/tickets.py`, as its developer would test it."""

import pytest
from pydantic import ValidationError

from dayfly.agents.sdk.testing import MemoryTable, ask
from examples.agents import tickets


async def test_the_answer_is_a_ticket() -> None:
    """As a value and as its text."""
    transcript = await ask(tickets.agent, "My parcel is 3 days late, which is of high urgency")
    ticket = tickets.Ticket.model_validate(transcript.output)
    assert (ticket.urgency, ticket.days_waiting) == ("high", 3)
    assert tickets.Ticket.model_validate_json(transcript.answer) == ticket


async def test_tools_run_before_the_ticket_is_written() -> None:
    """And what was remembered is in the next run's instructions."""
    table = MemoryTable()
    first = await ask(tickets.agent, "Remember that my number is 1042", table=table)
    assert first.tools == ("remember",)
    assert first.output is not None
    second = await ask(tickets.agent, "Where is it?", table=table, history=first.messages)
    assert second.output is not None


def test_a_ticket_has_its_limits() -> None:
    """What does not fit is asked for again."""
    with pytest.raises(ValidationError):
        tickets.Ticket(subject="x" * 121, urgency="low", days_waiting=0)
