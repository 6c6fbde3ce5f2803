"""What must be so when everything is quiet."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dayfly.context.run_ref import RunRef
from dayfly.history.chunks import Fragment, messages_in, unpack_fragments
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, UserSaid
from dayfly.store.rows import CancelRow, HistoryRow, LeaseRow, LogRow, PartRow, QuotaRow, ThreadRow
from tests.simulation.device import Device
from tests.simulation.outcomes import of_outcome
from tests.simulation.truth import JsonObject, Told
from tests.simulation.view import View

if TYPE_CHECKING:
    from tests.simulation.world import World


def check_all(world: "World") -> None:
    """Notes every violation."""
    for told in world.truth.runs.values():
        for what in of_run(world, told):
            world.truth.violated(f"{told.run}: {what}")
    for what in (*of_table(world), *of_histories(world), *world.posts.missing()):
        world.truth.violated(what)
    for device in world.story.devices:
        for what in of_device(world, device):
            world.truth.violated(f"{device.name}: {what}")


# Runs.


def of_run(world: "World", told: Told) -> Iterator[str]:
    """One end; the text that was said is the result; every tool that was told of has ended."""
    if told.terminal is None:
        yield "has no end"
        return
    events: list[JsonObject] = [json.loads(text) for text in told.texts]
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        yield f"its seqs are {[event['seq'] for event in events]}"
    if told.terminal != told.types[-1] or sum(kind == told.terminal for kind in told.types) != 1:
        yield f"its log is {told.types}"
    if told.terminal == "agent_completed":
        said, result = said_last(events), events[-1]["payload"]["result"]
        if said != result:
            yield f"its text is {said!r}, its result {result!r}"
        if told.executing - told.completed:
            yield f"completed without {told.executing - told.completed}"
    yield from of_outcome(world, told, events)


def said_last(events: list[JsonObject]) -> str:
    """The text of the last model response, as a client reduces it."""
    said: list[tuple[int, str]] = []
    for event in events:
        if event["type"] == "agent_thinking":
            said = []
        elif event["type"] == "agent_delta":
            said.append((event["seq"], event["payload"]["text"]))
        elif event["type"] in {"agent_resumed", "agent_retrying"} and "discard_after" in event["payload"]:
            said = [piece for piece in said if piece[0] <= event["payload"]["discard_after"]]
    return "".join(text for _, text in said)


# The table.


def of_table(world: "World") -> Iterator[str]:
    """Nothing is left that has to go, and the log is what was written."""
    rows = list(world.store.held.values())
    for row in rows:
        match row:
            case LeaseRow(ref=RunRef(run_id=run), state=state):
                yield f"{run}: its lease is left, {state}"
            case CancelRow(run_id=run) if not any(actor.faults for actor in world.markers[run]):
                yield f"{run}: a cancel mark is left"
            case QuotaRow(user_id=user, active=active) if active:
                yield f"{user}: still uses quota for {list(active)}"
            case ThreadRow(user_id=user, thread_id=thread, title=title) if not _is_title(world, user, thread, title):
                yield f"{thread}: is called {title!r}, which nobody wanted"
            case ThreadRow(thread_id=thread, active_run=active, queue=queue) if active or queue:
                yield f"{thread}: still has {active} and {list(queue)}"
            case _:
                pass
    kept = {(row.run_id, row.first): row for row in rows if isinstance(row, LogRow)}
    for told in world.truth.runs.values():
        if not world.lines.threads[told.thread].forgotten:
            for row in told.rows:
                if kept.pop((row.run_id, row.first), None) != row:
                    yield f"{row.run_id}: the record at seq {row.first} is not what was written"
    yield from of_forgotten(world)
    if left := [key for key in kept if not world.lines.threads[world.truth.runs[key[0]].thread].forgotten]:
        yield f"records that nobody wrote: {left}"


def _is_title(world: "World", user: str, thread: str, title: str) -> bool:
    """Whether the title is the first message's beginning, or one that it was given; and none that was given is lost."""
    first = next(told for told in world.truth.runs.values() if told.thread == thread)
    given = [
        (name, frame["title"])
        for (who, name), frames in world.truth.asked.items()
        for frame in frames
        if who == user and frame["action"] == "rename" and frame["thread_id"] == thread
    ]
    answered = any(
        device.answers.get(name, {}).get("type") == "renamed" for device in world.story.devices for name, _ in given
    )
    return title in {given_title for _, given_title in given} or (title == first.frame["text"][:60] and not answered)


def of_forgotten(world: "World") -> Iterator[str]:
    """Nothing is left of a forgotten thread, but what has a TTL."""
    for name, line in world.lines.threads.items():
        if line.forgotten:
            parts = {name, *(told.run for told in world.truth.runs.values() if told.thread == name)}
            for key, row in world.store.held.items():
                if not hasattr(row, "expires") and not parts.isdisjoint(key.sk.split("#")):
                    yield f"{name}: forgotten, but {key.sk} is left"


# History.


def of_histories(world: "World") -> Iterator[str]:
    """A thread's chain of pieces has its ended runs in the order of their ends, and each piece its run's messages."""
    held = world.store.held
    pieces = {row.key.sk: row for row in held.values() if isinstance(row, HistoryRow)}
    for row in held.values():
        if not isinstance(row, ThreadRow) or row.state != "live":
            continue
        chain: list[HistoryRow] = []
        at = row.history_head
        while at is not None:
            chain.insert(0, pieces[at])
            at = pieces[at].previous
        order = world.lines.threads[row.thread_id].order
        if [piece.run_id for piece in chain] != order:
            yield f"{row.thread_id}: its history has {[piece.run_id for piece in chain]}, its runs ended as {order}"
            continue
        said = [shown for piece in chain for shown in _shown(piece.run_id, _messages(world, piece))]
        for device in world.story.devices:
            read = _joined(device.history[row.thread_id]) if row.thread_id in device.history else said
            if read != said:
                yield f"{device.name}: reads {read} in {row.thread_id}, not {said}"
        for piece in chain:
            for what in of_piece(world.truth.runs[piece.run_id], _messages(world, piece)):
                yield f"{piece.run_id}: its history {what}"


def _shown(run: str, messages: tuple[Message, ...]) -> Iterator[tuple[str, str, str]]:
    """What a reader sees of a piece: run, role and text of its messages."""
    for message in messages:
        if isinstance(message, UserSaid):
            yield run, "user", message.text
        elif isinstance(message, AssistantSaid) and message.text:
            yield run, "assistant", message.text


def _joined(messages: list[JsonObject]) -> list[tuple[str, str, str]]:
    """What a client has read, the pieces of long messages put together."""
    whole: list[tuple[str, str, str]] = []
    for message in messages:
        before = whole.pop()[2] if message["continued"] else ""
        whole.append((message["run_id"], message["role"], before + message["text"]))
    return whole


def _messages(world: "World", piece: HistoryRow) -> tuple[Message, ...]:
    """The messages of a piece, from all its chunks."""
    whole: list[Fragment] = []
    for chunk, count in enumerate(piece.parts):
        rows = [world.store.held[key] for key in piece.chunk_keys(chunk)]
        body = b"".join(row.data for row in rows if isinstance(row, PartRow)) if count else piece.body
        fragments = unpack_fragments(body)
        if sum(fragment.text != "" for fragment in fragments) != piece.shown[chunk]:
            world.truth.violated(f"{piece.run_id}: chunk {chunk} of its history shows not {piece.shown[chunk]} pieces")
        whole += fragments
    return messages_in(whole)


def of_piece(told: Told, messages: tuple[Message, ...]) -> Iterator[str]:
    """The user's text, the responses with their calls answered, and what was said last and not void."""
    events: list[JsonObject] = [json.loads(text) for text in told.texts]
    if not messages or messages[0] != UserSaid(events[0]["payload"]["text"]):
        yield "does not begin with the user's text"
    calls = [call.call_id for message in messages if isinstance(message, AssistantSaid) for call in message.calls]
    answers = [message.call_id for message in messages if isinstance(message, ToolAnswered)]
    if sorted(calls) != sorted(answers):
        yield f"has the calls {calls} and the answers {answers}"
    said = "".join(message.text for message in messages if isinstance(message, AssistantSaid))
    if said != (kept := _kept(events)):
        yield f"says {said!r}, the log {kept!r}"


def _kept(events: list[JsonObject]) -> str:
    """All text that was not made void."""
    said: list[tuple[int, str]] = []
    for event in events:
        if event["type"] == "agent_delta":
            said.append((event["seq"], event["payload"]["text"]))
        elif event["type"] in {"agent_resumed", "agent_retrying"} and "discard_after" in event["payload"]:
            said = [piece for piece in said if piece[0] <= event["payload"]["discard_after"]]
    return "".join(text for _, text in said)


# Devices.


def of_device(world: "World", device: Device) -> Iterator[str]:
    """All requests are answered; every thread is watched; all that is held of a run, and of every run after it in its
    thread, is what the log has."""
    if device.pending:
        yield f"without an answer: {[pending.frame for pending in device.pending.values()]}"
    for name, line in world.lines.threads.items():
        if line.user != device.user or line.forgotten:
            continue
        if name not in device.listed:
            yield f"{name} is not in the list of threads"
        watched = device.watched.get(name)
        if watched is None or not watched.attached:
            yield f"{name} is not watched"
            continue
        views = {view.run: view for view in device.views.values() if view.thread == name}
        for told in world.truth.runs.values():
            unasked = watched.base is None or told.run < watched.base
            is_history = told.run not in views and told.ended < watched.since and unasked
            if views and told.thread == name and told.run >= min(views) and not is_history:
                yield from of_view(told, views.get(told.run))
    strangers = [run for run in device.views if world.truth.runs[run].user != device.user]
    if strangers:
        yield f"holds {strangers} of somebody else"


def of_view(told: Told, view: View | None) -> Iterator[str]:
    """The same events, all of them."""
    if view is None:
        yield f"{told.run} is missing"
    elif view.whole != len(told.texts) or [view.events[seq] for seq in range(1, view.whole + 1)] != told.texts:
        yield f"{told.run}: holds {view.whole} of {len(told.texts)} events, heard of {view.told}, {view.status}"
