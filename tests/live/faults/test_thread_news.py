"""What becomes of threads is told to all of their user's sockets, and to nobody else's."""

from collections.abc import Callable

from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.steps import SLOW, accepted, speaks


async def _news(client: Chat, wanted: Callable[[Frame], bool]) -> Frame:
    """The news of a thread that is so."""
    frame = await client.until(lambda f: f["type"] == "thread_changed" and wanted(f["thread"]))
    thread: Frame = frame["thread"]
    return thread


async def test_all_sockets_of_a_user_hear_of_a_thread_and_no_others(swept: EmulatorProcess, user: str) -> None:
    """New, queue moved, renamed, forgotten: a socket of the same user that is attached to nothing is told each, a
    socket of somebody else nothing."""
    async with (
        Chat(swept.url, user) as phone,
        Chat(swept.url, user) as laptop,
        Chat(swept.url, f"{user}-other") as other,
    ):
        first = await accepted(phone, SLOW)
        thread = first["thread_id"]
        new = await _news(laptop, lambda item: item["thread_id"] == thread)
        assert new["title"].startswith("Tell me a long story")
        second = await accepted(phone, "What is 2 + 2?", thread_id=thread)
        queued = await _news(laptop, lambda item: item.get("queue") == [second["run_id"]])
        assert queued["active_run"] == first["run_id"]
        await speaks(phone, first)
        await phone.ask("cancel", run_id=first["run_id"])
        moved = await _news(laptop, lambda item: item.get("active_run") == second["run_id"])
        assert moved.get("queue", []) == []
        await phone.end_of(second["run_id"])
        assert (await phone.ask("rename", thread_id=thread, title="Ships"))["type"] == "renamed"
        await _news(laptop, lambda item: item["title"] == "Ships")
        assert (await laptop.ask("forget", thread_id=thread))["type"] == "forgotten"
        for device in (phone, laptop):
            await _news(device, lambda item: item["thread_id"] == thread and item["state"] == "forgotten")
        assert (await other.ask("ping"))["type"] == "pong"
        assert [frame["type"] for frame in other.frames] == ["pong"]
