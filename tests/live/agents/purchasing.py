"""Buys and books only with approval, say "Buy a ticket to Kiel. Book a hotel in Kiel. Check the weather in Kiel"."""

from dayfly.agents.sdk import AgentDefinition, Tool


def buy_ticket(to: str) -> str:
    """Buys a train ticket.

    Args:
        to: The town to go to.
    """
    return f"One ticket to {to}."


def book_hotel(town: str) -> str:
    """Books a hotel.

    Args:
        town: The town to stay in.
    """
    return f"One room in {town}."


def check_weather(town: str) -> str:
    """Looks out of a window.

    Args:
        town: Where to look.
    """
    return f"Rain in {town}."


agent = AgentDefinition(
    instructions="You arrange journeys.",
    tools=(Tool(buy_ticket, requires_approval=True), Tool(book_hotel, requires_approval=True), check_weather),
)
