"""A loop of a developer's own that yields as little as it may, with a client that knows the wire alone."""

import time

from tests.live.kit.chat import Chat


async def test_its_answer_is_in_the_history_and_given_to_its_next_turn(client: Chat) -> None:
    """With its call, and what it said before."""
    run = await client.ask("run", agent="terse", text="How is the weather?")
    end = await client.end_of(run["run_id"])
    assert (end["type"], end["payload"]["result"]) == ("agent_completed", "It rains.")
    page = await client.ask("history", thread_id=run["thread_id"])
    said = [(message["role"], message["text"]) for message in page["messages"]]
    assert said == [
        ("user", "How is the weather?"),
        ("assistant", "Let me look. "),
        ("assistant", "It rains."),
    ]
    again = await client.ask("run", agent="terse", thread_id=run["thread_id"], text="What was that again?")
    end = await client.end_of(again["run_id"])
    asked = """assistant 'Let me look. ' [('look', '{"where": "out"}')]"""
    assert end["payload"]["result"] == f"user | {asked} | tool 'rain' | assistant 'It rains.' []"


async def test_an_answer_is_not_lost_where_the_loop_does_not_end(client: Chat) -> None:
    """The run ends with it within seconds, not with its engine's time."""
    began = time.monotonic()
    run = await client.ask("run", agent="terse", text="Look, and linger.")
    end = await client.end_of(run["run_id"])
    assert (end["type"], end["payload"]["result"]) == ("agent_completed", "It rains.")
    assert time.monotonic() - began < 30
