"""One run of a thread at a time; the others wait in order, whatever dies meanwhile."""

import asyncio

from tests.live.kit.chat import Chat
from tests.live.kit.control import ENGINE, ROUTER, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.steps import accepted, ends, resumes, speaks, starts, whole

LAST_WORD = "word29"
QUEUE_LENGTH = 20


async def test_messages_wait_their_turn(client: Chat) -> None:
    """Four messages at once: each is told its place, each begins when the one before has ended, and each is answered in
    the light of those before."""
    first = await accepted(client, "x", agent="talking")
    thread = first["thread_id"]
    queued = [await accepted(client, text, thread_id=thread) for text in ("What is 3 * 3?", "what did I just ask?")]
    assert first["status"] == "running"
    assert [(run["status"], run["position"]) for run in queued] == [("queued", 1), ("queued", 2)]
    runs = [run["run_id"] for run in (first, *queued)]
    answers = [(await client.end_of(run))["payload"]["result"] for run in runs]
    assert LAST_WORD in answers[0]
    assert "3 * 3" in answers[2]
    borders = ("agent_started", "agent_completed")
    order = [(frame["run_id"], frame["type"]) for frame in client.frames if frame["type"] in borders]
    assert order == [(run, kind) for run in runs for kind in borders]


async def test_a_queue_is_bounded(client: Chat) -> None:
    """20 runs wait behind the one under way; one more is refused with `queue_full`, retryably, and taken when there is
    room again."""
    first = await accepted(client, "x", agent="silent")
    thread, runs = first["thread_id"], [first["run_id"]]
    for place in range(1, QUEUE_LENGTH + 1):
        run = await accepted(client, "x", agent="nobody", thread_id=thread)
        assert run["position"] == place
        runs.append(run["run_id"])
    refused = await client.ask("run", text="x", agent="nobody", thread_id=thread)
    assert (refused["type"], refused["code"], refused["retryable"]) == ("error", "queue_full", True)
    await client.ask("cancel", run_id=first["run_id"])
    told = [await client.end_of(each) for each in runs]
    # Engines post beside each other, so the end of one run may overtake another's on the way: the log has their order.
    times = [end["timestamp"] for end in told]
    assert times == sorted(times)
    assert sorted(ends(client)) == sorted(runs)
    assert (await client.ask("run", text="x", agent="nobody", thread_id=thread))["type"] == "accepted"


async def test_a_queue_survives_its_engine(client: Chat, faults: Control) -> None:
    """The engine of the run under way is killed: that run is resumed and completes, then the queued ones run."""
    first = await accepted(client, "x", agent="talking")
    queued = [await accepted(client, f"What is {n} * {n}?", thread_id=first["thread_id"]) for n in (12, 13)]
    await speaks(client, first)
    assert (await faults.inject("kill_environments", function=ENGINE))["killed"] >= 1
    told = [await whole(client, run) for run in (first, *queued)]
    assert resumes(told[0]) == ["engine_lost"]
    assert [events[-1]["type"] for events in told] == ["agent_completed"] * 3
    assert "144" in told[1][-1]["payload"]["result"]
    assert "169" in told[2][-1]["payload"]["result"]
    assert ends(client) == [run["run_id"] for run in (first, *queued)]


async def test_a_router_killed_between_admission_and_invocation(
    swept: EmulatorProcess, user: str, faults: Control
) -> None:
    """The router dies while it posts `accepted`, before it invokes: the same frame, sent again, names the admitted run,
    which is carried out once."""
    async with Chat(swept.url, user) as client:
        assert (await client.ask("ping"))["type"] == "pong"
        await faults.inject("post_delayed", connection=(await faults.connections())[-1], delay_s=20)
        await client.send("run", id="once", text="What is 17 * 3?")
        # The fault has struck: the router is at its post, and the admission before it is written.
        await faults.until_struck()
        assert (await faults.inject("kill_environments", function=ROUTER))["killed"] >= 1
        again = await client.ask("run", id="once", text="What is 17 * 3?")
        assert again["duplicate"] is True
        events = await whole(client, again)
        assert "51" in events[-1]["payload"]["result"]
        listed = await client.ask("threads")
        assert [item["thread_id"] for item in listed["items"]] == [again["thread_id"]]


async def test_a_busy_thread_can_refuse(client: Chat) -> None:
    """With `reject` a message to a busy thread is refused with `busy`, and its id is not used up."""
    first = await accepted(client, "x", agent="silent")
    thread = first["thread_id"]
    frame = {"text": "What is 5 * 5?", "thread_id": thread, "if_busy": "reject"}
    refused = await client.ask("run", id="polite", **frame)
    assert (refused["code"], refused["retryable"]) == ("busy", True)
    await client.ask("cancel", run_id=first["run_id"])
    await client.end_of(first["run_id"])
    taken = await client.ask("run", id="polite", **frame)
    assert (taken["type"], taken["duplicate"]) == ("accepted", False)
    assert "25" in (await client.end_of(taken["run_id"]))["payload"]["result"]


async def test_interrupts_go_first_in_their_order(client: Chat) -> None:
    """An interrupt cancels the run under way and goes before all that wait, but behind an earlier interrupt."""
    first = await accepted(client, "x", agent="blocking")
    thread = first["thread_id"]
    await client.until(lambda frame: frame["type"] == "tool_executing")
    patient = await accepted(client, "What is 2 * 2?", thread_id=thread)
    assert patient["position"] == 1
    replies = await asyncio.gather(
        *(accepted(client, f"What is {n} * {n}?", thread_id=thread, if_busy="interrupt") for n in (3, 4))
    )
    for run in (first, patient, *replies):
        await client.end_of(run["run_id"])
    assert client.events(first["run_id"])[-1]["type"] == "agent_cancelled"
    assert client.events(patient["run_id"])[-1]["type"] == "agent_completed"
    assert starts(client)[-1] == patient["run_id"]
    waiting = {run["run_id"]: run["position"] for run in replies if run["status"] == "queued"}
    begun = [run for run in starts(client) if run in waiting]
    assert begun == sorted(waiting, key=lambda run: waiting[run])


async def test_a_queued_run_can_be_cancelled(client: Chat) -> None:
    """A cancelled queued run ends at once and never begins; the one under way and the one behind it are answered."""
    first = await accepted(client, "x", agent="talking")
    second, third = [await accepted(client, f"What is {n} * {n}?", thread_id=first["thread_id"]) for n in (8, 9)]
    await client.ask("cancel", run_id=second["run_id"])
    end = await client.end_of(second["run_id"])
    assert end["type"] == "agent_cancelled"
    assert first["run_id"] not in ends(client)
    assert LAST_WORD in (await client.end_of(first["run_id"]))["payload"]["result"]
    assert "81" in (await client.end_of(third["run_id"]))["payload"]["result"]
    assert second["run_id"] not in starts(client)
