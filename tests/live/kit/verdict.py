"""The promises, held against what clients saw."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.live.kit.client import Frame
from tests.live.kit.ledger import Admitted
from tests.live.kit.reducer import TERMINAL, RunView, ThreadView


def of_run(run: RunView, admitted: Admitted | None) -> list[str]:
    """What is wrong with one run, read from its beginning when all is over."""
    events = run.ordered()
    kinds = Counter(event["type"] for event in events)
    ends = [event for event in run.events.values() if event["type"] in TERMINAL]
    wrong: list[str] = []
    if not run.whole:
        wrong.append(f"lost: held to {run.held}, known to reach {run.reaches}")
    if run.rewritten:
        wrong.append(f"doubled: two events at {run.rewritten}")
    if len(ends) != 1 or run.end is None:
        wrong.append(f"{len(ends)} terminal events, the last event is {events[-1]['type'] if events else 'none'}")
    if kinds["user_message"] != 1 or (events and events[0]["type"] != "user_message"):
        wrong.append("the user's message is not the first event, once")
    if kinds["agent_started"] > 1:
        wrong.append("begun twice")
    attempts = [event["payload"]["attempt"] for event in events if event["type"] == "agent_resumed"]
    if attempts != list(range(2, 2 + len(attempts))):
        wrong.append(f"attempts {attempts}")
    lost = [event for event in run.of("agent_resumed") if event["payload"]["reason"] == "engine_lost"]
    if len(lost) > 2:
        wrong.append(f"resumed {len(lost)} times after a loss")
    wrong += _tools(run) + _text(run) + _retries(run)
    if admitted is not None and events:
        wrong += _as_asked(run, admitted)
    return [f"{run.run_id}: {what}" for what in wrong]


def _tools(run: RunView) -> list[str]:
    """A call completes once, after it began unless it was denied or could not be carried out; nothing is left open in a
    run that completed."""
    begun: dict[str, int] = {}
    wrong: list[str] = []
    done: set[str] = set()
    for event in run.ordered():
        call = str(event["payload"].get("tool_call_id"))
        if event["type"] == "tool_executing":
            if call in begun and event["agent_name"] == "careless":
                wrong.append(f"doubled: {call} began twice, and may not")
            if call in done:
                wrong.append(f"doubled: {call} runs after it completed")
            begun[call] = begun.get(call, 0) + 1
        elif event["type"] == "tool_progress" and (call not in begun or call in done):
            wrong.append(f"{call} tells how far it is, and does not run")
        elif event["type"] == "tool_completed":
            if call in done:
                wrong.append(f"doubled: {call} completed twice")
            if call not in begun and event["payload"]["status"] == "ok":
                wrong.append(f"{call} completed without having begun")
            done.add(call)
    end = run.end
    if end is not None and end["type"] == "agent_completed" and (left := set(begun) - done):
        wrong.append(f"completed with open calls {left}")
    return wrong


def _text(run: RunView) -> list[str]:
    """The streamed text of a completed run is its result."""
    end = run.end
    if end is None or end["type"] != "agent_completed" or end["payload"]["truncated"]:
        return []
    result = end["payload"]["result"]
    return [] if run.answer() == result else [f"text and result differ: {run.answer()!r:.300} / {result!r:.300}"]


def _retries(run: RunView) -> list[str]:
    """A request that is made again voids what came of it, and nothing that stands."""
    wrong: list[str] = []
    for event in run.of("agent_retrying"):
        after = event["payload"]["discard_after"]
        since = [one["type"] for one in run.ordered() if after < one["seq"] < event["seq"]]
        if after >= event["seq"] or set(since) & {"tool_executing", "tool_progress", "tool_completed"}:
            wrong.append(f"the retry at {event['seq']} voids all after {after}, that is {since}")
    return wrong


def _as_asked(run: RunView, admitted: Admitted) -> list[str]:
    wrong: list[str] = []
    if run.thread_id != admitted.thread_id:
        wrong.append(f"in thread {run.thread_id}, accepted in {admitted.thread_id}")
    if run.events[1]["payload"]["request_id"] != admitted.request_id:
        wrong.append("the message is of another request")
    end = run.end
    if end is not None and end["type"] == "agent_completed" and admitted.expects not in end["payload"]["result"]:
        wrong.append(f"answered {end['payload']['result']!r:.200}, which lacks {admitted.expects!r}")
    return wrong


def of_history(thread: ThreadView, messages: Iterable[Frame]) -> list[str]:
    """The history says what the events said, once for each run."""
    wrong: list[str] = []
    order: list[str] = []
    said: dict[tuple[str, str], str] = {}
    finishes: dict[str, str] = {}
    for message in messages:
        run_id, role = message["run_id"], message["role"]
        if not order or order[-1] != run_id:
            order.append(run_id)
        said[run_id, role] = said.get((run_id, role), "") + message["text"]
        finishes[run_id] = message.get("finish", "complete")
    if doubled := [run_id for run_id, count in Counter(order).items() if count > 1]:
        wrong.append(f"{thread.thread_id}: history tells {doubled} twice")
    if set(order) != set(thread.runs):
        wrong.append(f"{thread.thread_id}: history has {sorted(order)}, the log {sorted(thread.runs)}")
    for run in thread.runs.values():
        if run.held and said.get((run.run_id, "user")) != run.events[1]["payload"]["text"]:
            wrong.append(f"{run.run_id}: history has another message of the user")
        if said.get((run.run_id, "assistant"), "") != run.said():
            told = said.get((run.run_id, "assistant"), "")
            wrong.append(f"{run.run_id}: history says {told!r:.200}, the events {run.said()!r:.200}")
        finish = run.end["payload"].get("finish", "complete") if run.end is not None else "complete"
        if finishes.get(run.run_id, finish) != finish:
            wrong.append(f"{run.run_id}: history has it end as {finishes[run.run_id]}, the events as {finish}")
    return wrong


def of_device(name: str, seen: Mapping[str, ThreadView], fresh: Mapping[str, ThreadView]) -> list[str]:
    """What a device holds is what a fresh one reads: event by event, and no run missing from its first one on."""
    wrong: list[str] = []
    for thread_id, view in seen.items():
        log = fresh.get(thread_id)
        if log is None:
            wrong.append(f"{name} holds {thread_id}, which is not the user's")
            continue
        for run_id, run in view.runs.items():
            if run_id not in log.runs:
                wrong.append(f"{name} holds {run_id}, which is not in {thread_id}")
            elif run.rewritten:
                wrong.append(f"{name}: two events at {run.rewritten} of {run_id}")
            elif run.events != log.runs[run_id].events:
                wrong.append(f"{name} holds {run.held} events of {run_id}, a fresh device {log.runs[run_id].held}")
    return wrong


def of_note(marker: str, told: str, *, keeper: RunView, forgetter: RunView | None) -> list[str]:
    """A note was kept once where its run completed, at most once where it did not, and is gone where that was approved
    and done."""
    count = told.count(marker)
    done = keeper.end is not None and keeper.end["type"] == "agent_completed"
    forgotten = (
        any(event["payload"]["status"] == "ok" for event in forgetter.of("tool_completed")) if forgetter else False
    )
    maybe = forgetter is not None and bool(forgetter.of("tool_executing")) and not forgetter.of("tool_completed")
    if forgotten:
        return [f"{marker}: told {count} times after it was forgotten"] if count else []
    if count > 1:
        return [f"doubled: {marker} was kept {count} times"]
    if done and not maybe and not count:
        return [f"lost: {marker} was kept, and is not there"]
    return []
