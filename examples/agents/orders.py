"""Plain tools, one of which asks the user first: "Find order 1042", "Refund order 1042"."""

from dataclasses import dataclass

from dayfly.agents.sdk import AgentDefinition, Tool, ToolContext, ToolError


@dataclass(frozen=True)
class Order:
    """What a shop knows of an order; the price is in euros."""

    number: int
    item: str
    price: float


# Stands for the shop's own database or interface.
ORDERS = {order.number: order for order in (Order(1042, "a kettle", 39.9), Order(1043, "two cups", 12.0))}


def find_order(number: int) -> Order:
    """Looks an order up.

    Args:
        number: The order's number.
    """
    if number not in ORDERS:
        raise ToolError(f"There is no order {number}.")
    return ORDERS[number]


async def refund_order(context: ToolContext, number: int) -> str:
    """Pays an order back.

    Args:
        number: The order's number.
    """
    order = find_order(number)
    # A payment provider takes a key like this one, so that a repeated call pays once.
    receipt = context.idempotency_key[-12:]
    return f"{order.price:.2f} euros for {order.item} are paid back (receipt {receipt})."


agent = AgentDefinition(
    instructions="You help customers of a shop with their orders. Look an order up before you speak of it.",
    tools=(find_order, Tool(refund_order, requires_approval=True, idempotent=True)),
)
