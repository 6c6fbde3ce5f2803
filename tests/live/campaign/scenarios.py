"""What people do: each scenario asks for one run or a few, and returns when all have ended."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.live.campaign.person import END_S, Person
from tests.live.kit.client import Frame
from tests.live.kit.device import NoAnswer
from tests.live.kit.ledger import Admitted

Scenario = Callable[[Person], Awaitable[None]]

SLOW = "Tell me a long story, slowly"


def _sum(person: Person) -> tuple[str, str]:
    first, second = person.rng.randint(11, 99), person.rng.randint(11, 99)
    return f"What is {first} * {second}?", str(first * second)


async def question(person: Person) -> None:
    """One that takes a tool."""
    text, expects = _sum(person)
    await person.see_ends(await person.say(text, kind="question", expects=expects, thread_id=person.a_thread()))


async def note(person: Person) -> None:
    """A tool with an effect that must not happen twice."""
    run = await _note(person)
    await person.see_ends(run)


async def _note(person: Person) -> Admitted:
    marker = f"mark{person.rng.randrange(10**9)}"
    run = await person.say(f"Remember that my code is {marker}", kind="note", expects=marker)
    person.notes[marker] = run.run_id
    return run


async def story(person: Person) -> None:
    """Text alone."""
    run = await person.say("Tell me a story", kind="story", expects="lighthouse", thread_id=person.a_thread())
    await person.see_ends(run)


async def slow_story(person: Person) -> None:
    """Text for ten seconds: whatever strikes, strikes here."""
    run = await person.say(SLOW, kind="slow story", expects="first clear night of autumn")
    await person.see_ends(run)


async def pondering(person: Person) -> None:
    """A model that reasons, fails, and is asked again, a tool that tells how far it is, an answer that is cut off."""
    rng = person.rng
    text = (
        f"retries={rng.randint(0, 2)} seconds={rng.uniform(0.1, 0.6):.2f} finish={rng.choice(('complete', 'length'))}"
    )
    await person.see_ends(await person.say(text, kind="pondering", expects="thirty-", agent="pondering"))


async def queue(person: Person) -> None:
    """Several messages at once in one thread, from any device."""
    first = await person.say("Tell me a story", kind="queue", expects="lighthouse", thread_id=person.a_thread())
    texts = [_sum(person) for _ in range(person.rng.randint(2, 4))]
    others = await asyncio.gather(
        *(
            person.say(text, kind="queue", expects=expects, device=person.any_device(), thread_id=first.thread_id)
            for text, expects in texts
        )
    )
    await person.see_ends(first, *others)


async def interrupt(person: Person) -> None:
    """A message that will not wait."""
    first = await person.say(SLOW, kind="interrupted", thread_id=person.a_thread())
    await person.pause(0, 4)
    text, expects = _sum(person)
    second = await person.say(
        text, kind="interrupting", expects=expects, thread_id=first.thread_id, if_busy="interrupt"
    )
    await person.see_ends(first, second)


async def reject(person: Person) -> None:
    """A message that would rather not be sent."""
    first = await person.say(SLOW, kind="slow story")
    await person.pause(0, 3)
    text, expects = _sum(person)
    busy = frozenset({"busy"})
    second = await person.try_to_say(
        text, kind="question", expects=expects, final=busy, thread_id=first.thread_id, if_busy="reject"
    )
    if isinstance(second, Admitted):
        await person.see_ends(first, second)
        return
    if second["code"] != "busy":
        person.ledger.violate(f"{first.run_id}: if_busy=reject was answered with {second}")
    await _cancel(person, first)
    await person.see_ends(first)


async def cancel(person: Person) -> None:
    """Stop: a stream, a silent model, a tool that blocks, an engine that hangs."""
    agent = person.rng.choice((None, None, "silent", "blocking", "hanging"))
    run = await person.say(SLOW, kind=f"cancelled {agent or 'slow story'}", agent=agent)
    await person.pause(0, 4)
    await _cancel(person, run)
    await person.see_ends(run)


async def cancel_early(person: Person) -> None:
    """Stop before anybody has said that the message arrived."""
    device = person.devices[0]
    request_id = device.next_id()
    said, cancelling = await asyncio.gather(
        person.try_to_say("Tell me a story", kind="cancelled early", request_id=request_id),
        _cancelled_request(person, request_id),
    )
    if isinstance(said, Admitted):
        if "run_id" in cancelling and cancelling["run_id"] != said.run_id:
            person.ledger.violate(f"the cancel of {request_id} named {cancelling['run_id']}, not {said.run_id}")
        await person.see_ends(said)
    elif said["code"] != "cancelled":
        person.ledger.violate(f"a cancelled request was refused with {said}")


async def _cancelled_request(person: Person, request_id: str) -> Frame:
    await person.pause(0, 0.4)
    return await person.devices[-1].request("cancel", {"request_id": request_id})


async def cancel_queued(person: Person) -> None:
    """Stop what has not begun, and leave alone what runs."""
    first = await person.say(SLOW, kind="slow story")
    text, _ = _sum(person)
    second = await person.say(text, kind="cancelled queued", thread_id=first.thread_id)
    text, expects = _sum(person)
    third = await person.say(text, kind="queue", expects=expects, thread_id=first.thread_id)
    await _cancel(person, second)
    await person.see_ends(second)
    if person.rng.random() < 0.6:
        await _cancel(person, first)
    await person.see_ends(first, third)


async def _cancel(person: Person, run: Admitted) -> None:
    reply = await person.any_device().request("cancel", {"run_id": run.run_id})
    if reply["type"] != "cancelling":
        person.ledger.violate(f"{run.run_id}: cancel was answered with {reply}")


async def approval(person: Person) -> None:
    """A tool call that the user must answer, mostly from another device."""
    kept = await _note(person)
    await person.see_ends(kept)
    marker = next(text for text, run in person.notes.items() if run == kept.run_id)
    run = await person.say(f"Forget the note about {marker}", kind="approval")
    person.forgettings[marker] = run.run_id
    device = person.any_device()
    device.follow(run.thread_id, runs=(run.run_id,))
    view = device.threads[run.thread_id].run(run.run_id)
    await device.until(lambda: view.waiting or view.end is not None, wait_s=END_S, what="a question or an end")
    if view.end is None:
        await person.pause(0, 1)
        if person.rng.random() < 0.2:
            await _cancel(person, run)
        else:
            await _answer(person, run, str(view.of("approval_requested")[-1]["payload"]["tool_call_id"]))
    await person.see_ends(run)


async def _answer(person: Person, run: Admitted, call: str) -> None:
    reply = await person.any_device().request(
        "approve", {"run_id": run.run_id, "tool_call_id": call, "approved": person.rng.random() < 0.6}
    )
    # An answer whose reply was lost is sent again, and then it is closed already.
    if reply["type"] != "approved" and reply.get("code") != "approval_closed":
        person.ledger.violate(f"{run.run_id}: approve was answered with {reply}")


async def purchase(person: Person) -> None:
    """Two calls that wait at once, answered one by one."""
    text = "Buy a ticket to Kiel. Book a hotel in Kiel. Check the weather in Kiel."
    run = await person.say(text, kind="purchase", expects="Rain in Kiel", agent="purchasing")
    device = person.any_device()
    device.follow(run.thread_id, runs=(run.run_id,))
    view = device.threads[run.thread_id].run(run.run_id)
    await device.until(
        lambda: len(view.of("approval_requested")) == 2 or view.end is not None, wait_s=END_S, what="two questions"
    )
    for asked in view.of("approval_requested"):
        await person.pause(0, 0.5)
        await _answer(person, run, str(asked["payload"]["tool_call_id"]))
    await person.see_ends(run)


async def delivery(person: Person) -> None:
    """A tool that takes a while, and may run twice, or may not."""
    agent = person.rng.choice(("careful", "careless"))
    text, expects = "Deliver the parcel to Kiel", "Delivered to Kiel"
    await person.see_ends(await person.say(text, kind=f"agent {agent}", expects=expects, agent=agent))


async def failing(person: Person) -> None:
    """Agents that die, raise or are not there."""
    agent = person.rng.choice(("dying", "raising", "nobody"))
    await person.see_ends(await person.say("x", kind=f"agent {agent}", agent=agent))


async def several(person: Person) -> None:
    """Threads side by side."""
    sums = [_sum(person) for _ in range(2)]
    runs = await asyncio.gather(*(person.say(text, kind="question", expects=expects) for text, expects in sums))
    await person.see_ends(*runs)


async def rename(person: Person) -> None:
    """A title of one's own, while the thread talks."""
    run = await person.say("Tell me a story", kind="story", expects="lighthouse")
    title = f"Ships {person.rng.randrange(1000)}"
    reply = await person.any_device().request("rename", {"thread_id": run.thread_id, "title": title})
    if reply["type"] != "renamed":
        person.ledger.violate(f"{run.thread_id}: rename was answered with {reply}")
    person.titles[run.thread_id] = title
    await person.see_ends(run)


async def forget(person: Person) -> None:
    """A thread that shall be gone, with one run under way and one queued."""
    first = await person.say(SLOW, kind="forgotten")
    text, _ = _sum(person)
    await person.say(text, kind="forgotten", thread_id=first.thread_id)
    await person.pause(0, 3)
    person.ledger.forgotten.add(first.thread_id)
    person.threads.remove(first.thread_id)
    device = person.any_device()
    reply = await device.request("forget", {"thread_id": first.thread_id})
    if reply["type"] != "forgotten":
        person.ledger.violate(f"{first.thread_id}: forget was answered with {reply}")
    for action in ("history", "attach", "forget"):
        refused = await device.request(action, {"thread_id": first.thread_id})
        if action != "forget" and refused.get("code") != "thread_not_found":
            person.ledger.violate(f"{first.thread_id}: forgotten, and {action} was answered with {refused}")
    for other in person.devices:
        other.leave(first.thread_id)


SCENARIOS: tuple[tuple[int, Scenario], ...] = (
    (6, question),
    (4, note),
    (3, story),
    (5, slow_story),
    (3, pondering),
    (3, queue),
    (3, interrupt),
    (1, reject),
    (5, cancel),
    (2, cancel_early),
    (2, cancel_queued),
    (4, approval),
    (2, purchase),
    (4, delivery),
    (2, failing),
    (2, several),
    (1, rename),
    (2, forget),
)


async def long_text(person: Person) -> None:
    """More text than one engine's time is enough for."""
    text, expects = "chapters=8 seconds=4", "The end, after 8 chapters."
    await person.see_ends(await person.say(text, kind="long text", expects=expects, agent="chaptering"))


async def many_steps(person: Person) -> None:
    """More tools than one engine's time is enough for."""
    expects = ", ".join(f"step {number}" for number in range(1, 91))
    await person.see_ends(await person.say("Take 90 steps", kind="many steps", expects=expects, agent="stepping"))


LONG_SCENARIOS: tuple[tuple[int, Scenario], ...] = ((2, long_text), (2, many_steps))


async def play(person: Person, scenario: Scenario) -> None:
    """Plays one scenario; what never came is a violation."""
    try:
        await scenario(person)
    except (NoAnswer, AssertionError) as error:
        person.ledger.violate(f"{scenario.__name__} of {person.name}: {error}")
