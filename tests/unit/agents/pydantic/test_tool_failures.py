"""How the tools of a run have fared."""

import pytest

from dayfly.agents.pydantic.tool_failures import MAX_FAILED_ROUNDS, ToolFailures
from dayfly.errors import AgentFailed
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolOutcome


def answer(name: str, outcome: ToolOutcome) -> ToolAnswered:
    return ToolAnswered("c", name, "", outcome)


def test_a_round_names_its_tools_once() -> None:
    """In the order in which they first ended; the next round begins empty."""
    rounds = ToolFailures(())
    for name in ("look", "buy", "look"):
        rounds.add(answer(name, ToolOutcome.OK))
    assert rounds.close() == ("look", "buy")
    assert rounds.close() == ()


@pytest.mark.parametrize("resumed", range(MAX_FAILED_ROUNDS + 1))
def test_a_tool_may_fail_so_many_rounds(resumed: int) -> None:
    """Whichever attempts they were in."""
    earlier = [message for _ in range(resumed) for message in (AssistantSaid(""), answer("buy", ToolOutcome.ERROR))]
    rounds = ToolFailures(earlier)
    for number in range(resumed, MAX_FAILED_ROUNDS):
        if number:
            rounds.close()
        rounds.add(answer("buy", ToolOutcome.ERROR))
    with pytest.raises(AgentFailed, match="buy"):
        rounds.close()


@pytest.mark.parametrize("other", [ToolOutcome.OK, ToolOutcome.DENIED])
def test_what_breaks_a_row_of_failures(other: ToolOutcome) -> None:
    """A call that went well does. One that was denied counts as neither: it lets the row go on, and adds nothing."""
    rounds = ToolFailures(())
    for outcome in (*[ToolOutcome.ERROR] * (MAX_FAILED_ROUNDS - 1), other):
        rounds.add(answer("buy", outcome))
        rounds.close()
    rounds.add(answer("buy", ToolOutcome.ERROR))
    if other is ToolOutcome.OK:
        assert rounds.close() == ("buy",)
    else:
        with pytest.raises(AgentFailed):
            rounds.close()
