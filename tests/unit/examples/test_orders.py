"""An agent with plain tools and one that asks first, tried as its developer would."""

from dayfly.agents.testing import ask
from examples.agents.orders import agent


async def test_an_order_is_found() -> None:
    """What the tool returns is given to the model as JSON."""
    transcript = await ask(agent, "Find order 1042")
    assert transcript.tools == ("find_order",)
    assert transcript.results[0].content == '{"number":1042,"item":"a kettle","price":39.9}'


async def test_a_refund_waits_for_the_user() -> None:
    """The run stops before the tool."""
    transcript = await ask(agent, "Refund order 1042")
    assert [(call.tool_name, call.parameters) for call in transcript.asked] == [("refund_order", {"number": 1042})]
    assert transcript.tools == ()


async def test_a_refund_is_made_where_the_user_allows_it() -> None:
    """The run goes on behind the user's word; an order that is not there is told as an error."""
    transcript = await ask(agent, "Refund order 1042", approve=True)
    assert "39.90 euros for a kettle are paid back" in transcript.answer
    wrong = await ask(agent, "Refund order 7", approve=True)
    assert wrong.results[0].outcome == "error"
    assert "There is no order 7." in wrong.answer


async def test_a_refund_is_not_made_against_the_users_will() -> None:
    """The model is told so, with the reason."""
    transcript = await ask(agent, "Refund order 1042", approve=False, reason="I keep it.")
    assert transcript.tools == ()
    assert "I keep it." in transcript.answer
