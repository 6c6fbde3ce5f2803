"""Cancel is real."""

from collections.abc import Callable

from tests.live.kit.chat import Chat
from tests.live.kit.reducer import viewed


async def test_the_thread_is_free_again_and_keeps_what_was_said(chat: Callable[[], Chat]) -> None:
    """After a cancel the history ends with the text that was streamed, and the next message is answered."""
    async with chat() as client:
        run = await client.ask("run", text="tell me a long story, slowly")
        await client.until(lambda frame: frame["type"] == "agent_delta")
        await client.ask("cancel", run_id=run["run_id"])
        await client.end_of(run["run_id"])
        history = await client.ask("history", thread_id=run["thread_id"])
        assert history["messages"][-1]["text"] == viewed(client.events(run["run_id"])).said()
        following = await client.ask("run", text="What is 3 * 3?", thread_id=run["thread_id"])
        assert "9" in (await client.end_of(following["run_id"]))["payload"]["result"]


async def test_cancel_before_the_run_is_accepted(chat: Callable[[], Chat]) -> None:
    """A request that was cancelled first is refused when it comes."""
    async with chat() as client:
        assert (await client.ask("cancel", request_id="later"))["type"] == "cancelling"
        refused = await client.ask("run", id="later", text="What is 1 + 1?")
        assert (refused["type"], refused["code"]) == ("error", "cancelled")


async def test_cancel_twice_and_late(chat: Callable[[], Chat]) -> None:
    """A second cancel and one that comes after the end change nothing, and touch no later run of the thread."""
    async with chat() as client:
        run = await client.ask("run", text="x", agent="silent")
        await client.until(lambda frame: frame.get("seq", 0) >= 3)
        await client.ask("cancel", run_id=run["run_id"])
        await client.ask("cancel", run_id=run["run_id"])
        end = await client.end_of(run["run_id"])
        following = await client.ask("run", text="What is 4 * 4?", thread_id=run["thread_id"])
        await client.ask("cancel", run_id=run["run_id"])
        assert "16" in (await client.end_of(following["run_id"]))["payload"]["result"]
        assert client.events(run["run_id"])[-1] == end
