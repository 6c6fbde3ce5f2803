"""A message travels end to end."""

from collections.abc import Callable

from tests.live.kit.chat import Chat
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import outline


async def test_a_question_is_answered_live_by_a_real_tool(chat: Callable[[], Chat]) -> None:
    """`accepted`, then the lifecycle in order with gap-free seqs, and the streamed text is the answer."""
    async with chat() as client:
        accepted = await client.ask("run", text="What is 17 * 23?")
        assert accepted["type"] == "accepted"
        assert accepted["status"] == "running"
        assert accepted["duplicate"] is False
        end = await client.end_of(accepted["run_id"])
        events = client.events(accepted["run_id"])
        assert outline(events) == [
            "user_message",
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_thinking",
            "agent_delta",
            "agent_completed",
        ]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {event["thread_id"] for event in events} == {accepted["thread_id"]}
        tool = next(event["payload"] for event in events if event["type"] == "tool_completed")
        assert (tool["tool_name"], tool["status"], tool["result"]) == ("calculate", "ok", "391")
        assert "391" in end["payload"]["result"]
        assert viewed(events).said() == end["payload"]["result"]
        assert end["payload"]["truncated"] is False


async def test_the_thread_goes_on_with_its_history(chat: Callable[[], Chat]) -> None:
    """The next message of a thread is answered by an agent that was given the ones before."""
    async with chat() as client:
        first = await client.ask("run", text="What is 6 * 7?")
        await client.end_of(first["run_id"])
        second = await client.ask("run", text="what did I just ask?", thread_id=first["thread_id"])
        assert second["thread_id"] == first["thread_id"]
        end = await client.end_of(second["run_id"])
        assert "6 * 7" in end["payload"]["result"]
        history = await client.ask("history", thread_id=first["thread_id"])
        assert [(m["role"], m["run_id"]) for m in history["messages"] if m["role"] == "user"] == [
            ("user", first["run_id"]),
            ("user", second["run_id"]),
        ]
        assert history["messages"][-1]["text"] == end["payload"]["result"]
        listed = await client.ask("threads")
        assert [item["thread_id"] for item in listed["items"]] == [first["thread_id"]]
        assert listed["items"][0]["title"] == "What is 6 * 7?"


async def test_notes_are_the_users_own(chat: Callable[[], Chat]) -> None:
    """What is remembered in one thread is recalled in another."""
    async with chat() as client:
        noted = await client.ask("run", text="remember that my code is X17")
        await client.end_of(noted["run_id"])
        asked = await client.ask("run", text="what do you recall about me?")
        end = await client.end_of(asked["run_id"])
        assert asked["thread_id"] != noted["thread_id"]
        assert "X17" in end["payload"]["result"]


async def test_the_same_request_twice_runs_once(chat: Callable[[], Chat]) -> None:
    """The client's id makes `run` idempotent: the second answer names the first run; other content is `id_reused`."""
    async with chat() as client:
        first = await client.ask("run", id="same", text="What is 2 + 2?")
        await client.end_of(first["run_id"])
        again = await client.ask("run", id="same", text="What is 2 + 2?")
        assert again["duplicate"] is True
        assert (again["run_id"], again["thread_id"]) == (first["run_id"], first["thread_id"])
        assert again["status"] == "completed"
        other = await client.ask("run", id="same", text="What is 3 + 3?")
        assert (other["type"], other["code"]) == ("error", "id_reused")
        starts = [frame for frame in client.frames if frame["type"] == "agent_started"]
        assert len(starts) == 1


async def test_ping_tells_the_time(chat: Callable[[], Chat]) -> None:
    """`ping` is answered with the server's time."""
    async with chat() as client:
        pong = await client.ask("ping")
        assert pong["type"] == "pong"
        assert pong["server_time"].endswith("Z")
