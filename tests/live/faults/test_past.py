"""What is kept of threads: histories that say what the events said, titles, and nothing of what is to be forgotten."""

from tests.live.campaign.reading import read_all
from tests.live.kit import verdict
from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.ledger import Ledger
from tests.live.kit.steps import accepted, asks, speaks, talks, whole

FORGOTTEN = {"type": "error", "code": "thread_not_found", "retryable": False}


async def test_history_says_what_the_events_said(
    swept: EmulatorProcess, user: str, client: Chat, faults: Control
) -> None:
    """In a thread with runs that completed, failed, were cancelled, cancelled while queued, resumed after a death,
    denied and given up, the history that a fresh device reads is the events' text, in the order of their ends."""
    thread = (await accepted(client, "What is 6 * 7?"))["thread_id"]
    await accepted(client, "x", agent="raising", thread_id=thread)
    await accepted(client, "x", agent="nobody", thread_id=thread)
    resumed = await accepted(client, "x", agent="talking", thread_id=thread)
    queued = await accepted(client, "never said", thread_id=thread)
    await talks(client, resumed)
    await client.ask("cancel", run_id=queued["run_id"])
    await faults.inject("kill_environments", function=ENGINE)
    await client.end_of(resumed["run_id"])
    cancelled = await accepted(client, "x", agent="talking", thread_id=thread)
    await speaks(client, cancelled)
    await client.ask("cancel", run_id=cancelled["run_id"])
    denied = await accepted(client, "Forget the note about boats", thread_id=thread)
    question = (await asks(client, denied))["payload"]
    await client.ask("approve", run_id=denied["run_id"], tool_call_id=question["tool_call_id"], approved=False)
    doubtful = await accepted(client, "Deliver the parcel to Kiel", agent="careless", thread_id=thread)
    await client.until(lambda f: f["type"] == "tool_executing" and f["run_id"] == doubtful["run_id"])
    await faults.inject("kill_environments", function=ENGINE)
    await client.end_of(doubtful["run_id"])

    ledger = Ledger()
    past = await read_all(swept.url, user, ledger)
    view, told = past.threads[thread], past.histories[thread]
    assert ledger.violations == []
    assert [wrong for run in view.runs.values() for wrong in verdict.of_run(run, None)] == []
    assert verdict.of_history(view, told) == []
    outcomes = [run.end["type"].removeprefix("agent_") for run in view.runs.values() if run.end is not None]
    assert outcomes == ["completed", "error", "error", "cancelled", "completed", "cancelled", "completed", "error"]
    order = list(dict.fromkeys(message["run_id"] for message in told))
    assert order[3:5] == [queued["run_id"], resumed["run_id"]]


async def test_a_thread_is_renamed(client: Chat) -> None:
    """The new title stands in the list, also after further messages."""
    run = await accepted(client, "What is 6 * 7?")
    await client.end_of(run["run_id"])
    renamed = await client.ask("rename", thread_id=run["thread_id"], title="Sums & ships")
    assert (renamed["type"], renamed["thread_id"], renamed["title"]) == ("renamed", run["thread_id"], "Sums & ships")
    following = await accepted(client, "What is 7 * 7?", thread_id=run["thread_id"])
    await client.end_of(following["run_id"])
    listed = await client.ask("threads")
    assert [(item["thread_id"], item["title"]) for item in listed["items"]] == [(run["thread_id"], "Sums & ships")]


async def test_a_forgotten_thread_is_gone_at_once(swept: EmulatorProcess, user: str, client: Chat) -> None:
    """A thread is forgotten in mid-run, with another run queued: from then on every action on it, on any device, is
    answered as for a thread that never was; its runs end, and it is in no list."""
    run = await accepted(client, "x", agent="talking")
    thread = run["thread_id"]
    queued = await accepted(client, "What is 6 * 7?", thread_id=thread)
    kept = await accepted(client, "What is 7 * 7?")
    await speaks(client, run)
    assert (await client.ask("forget", thread_id=thread))["type"] == "forgotten"
    async with Chat(swept.url, user) as laptop:
        for name, device in (("phone", client), ("laptop", laptop)):
            refused: list[Frame] = [
                await device.ask("run", id=f"late-{name}", text="hi", thread_id=thread),
                await device.ask("attach", thread_id=thread),
                await device.ask("history", thread_id=thread),
                await device.ask("rename", thread_id=thread, title="again"),
            ]
            assert [{key: frame[key] for key in FORGOTTEN} for frame in refused] == [FORGOTTEN] * len(refused)
            listed = await device.ask("threads")
            assert [item["thread_id"] for item in listed["items"]] == [kept["thread_id"]]
    for ended in (run, queued):
        assert (await client.end_of(ended["run_id"]))["type"] == "agent_cancelled"
    await client.end_of(kept["run_id"])
    searched = await accepted(client, "Search my history for word1")
    assert "word1 " not in (await client.end_of(searched["run_id"]))["payload"]["result"]
    assert (await client.ask("history", thread_id=kept["thread_id"]))["type"] == "history"
    assert await whole(client, kept)
