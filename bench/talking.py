"""What the measures say over a socket, and how they read what they missed."""

from dataclasses import dataclass
from typing import Final

from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame

WAIT_S: Final = 120.0
SCRIPTED: Final = "scripted"
"""The agent of `bench/agents`."""


@dataclass(frozen=True, slots=True)
class Told:
    """A run that has ended. `events` is the seq of its last one, and so their number."""

    run_id: str
    thread_id: str
    events: int


async def say(chat: Chat, text: str, *, thread: str | None = None, agent: str = SCRIPTED) -> Frame:
    """Starts a run, in a new thread if none is named. Raises `RuntimeError` where it is refused."""
    place = {} if thread is None else {"thread_id": thread}
    accepted = await chat.ask("run", agent=agent, text=text, **place)
    if accepted["type"] != "accepted":
        raise RuntimeError(f"refused: {accepted}")
    return accepted


async def told(chat: Chat, text: str, *, thread: str | None = None, agent: str = SCRIPTED) -> Told:
    """Says it and waits for the end. Raises `RuntimeError` where the run does not end well."""
    accepted = await say(chat, text, thread=thread, agent=agent)
    end = await chat.end_of(accepted["run_id"], wait_s=WAIT_S)
    if end["type"] != "agent_completed":
        raise RuntimeError(f"the run failed: {end}")
    return Told(end["run_id"], end["thread_id"], end["seq"])


async def attach(chat: Chat, thread: str, *, after: dict[str, int] | None = None) -> int:
    """Attaches as often as it takes until there is no more; says how often that was. `after` may name one run."""
    requests = 0
    cursors = dict(after or {})
    while True:
        requests += 1
        attached = await chat.ask("attach", thread_id=thread, after=cursors)
        if attached["type"] != "attached":
            raise RuntimeError(f"refused: {attached}")
        cursors = {run["run_id"]: run["seq"] for run in attached["runs"][-1:]} or cursors
        if not attached["more"]:
            return requests


async def read_back(chat: Chat, thread: str, *, most: int | None = None) -> int:
    """Reads the history's pages, newest first, all or so many; says how many there were."""
    pages, before = 0, None
    while most is None or pages < most:
        page = await chat.ask("history", thread_id=thread, **({} if before is None else {"before": before}))
        if page["type"] != "history":
            raise RuntimeError(f"refused: {page}")
        pages += 1
        before = page.get("before")
        if before is None:
            break
    return pages
