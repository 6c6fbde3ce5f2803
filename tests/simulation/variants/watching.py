"""Breaking who is shown what, and who is heard."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from dayfly.agents.sdk.protocol import OpenCall
from dayfly.delivery import audience
from dayfly.delivery.audience import Audience
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import DRAIN_S, Broadcast, Flushed
from dayfly.engine import attempt, engine
from dayfly.engine.attempt import Attempt
from dayfly.log.messages import Message
from dayfly.protocol.events import TerminalPayload
from dayfly.protocol.frames import Attach, ClientFrame
from dayfly.protocol.replies import Attached
from dayfly.router import attach, router
from dayfly.router.registry import HANDLERS, Handler
from dayfly.router.request import Request
from dayfly.runs.end import End, finish
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.retry import retry_write
from dayfly.store.rows import ThreadRow
from dayfly.store.table import Action, Delete, Table
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken
from tests.simulation.weather import Fate


class _Every(frozenset[str]):
    """Marks that are everybody's."""

    def __contains__(self, run: object) -> bool:
        return bool(self)


@contextmanager
def cancel_of_any_run() -> Iterator[None]:
    """A cancel mark counts for whichever run is active in the thread."""

    def loose(sockets: tuple[str, ...], cancelled: frozenset[str], *, more: bool) -> Audience:
        return Audience(sockets, _Every(cancelled), more)

    with replaced(audience, "Audience", loose):
        yield


async def _without_looking(broadcast: Broadcast, *, drain_s: float = DRAIN_S) -> Flushed:
    return Flushed(None, posted=await broadcast.drain(patience_s=drain_s))


@contextmanager
def audience_before_the_end() -> Iterator[None]:
    """Who watches is not read again after the last append."""

    async def hasty(run_writer: RunWriter, bridge: WebSocketBridge, payload: TerminalPayload, done: End) -> None:
        with replaced(bridge.broadcast, "flush", partial(_without_looking, bridge.broadcast)):
            await finish(run_writer, bridge, payload, done)

    with replaced(attempt, "finish", hasty):
        yield


@contextmanager
def attach_reads_first() -> Iterator[None]:
    """An attach reads thread and logs, and only then writes its row."""
    late: dict[Key, tuple[Action, ...]] = {}

    async def later(table: Table, *actions: Action, token: str | None = None) -> None:
        if isinstance(actions[0], Delete):
            await retry_write(table, *actions, token=token)
        else:
            late[actions[0].key] = actions

    async def reading(request: Request, frame: Attach) -> Attached:
        reply = await attach.attach(request, frame)
        caller = request.caller
        row = keys.socket_of_thread_key(caller.user_id, frame.thread_id, caller.connection_id)
        await retry_write(request.ports.table, *late.get(row, ()))
        return reply

    handlers: dict[type[ClientFrame], Handler] = {**HANDLERS, Attach: reading}
    with replaced(attach, "retry_write", later), replaced(router, "HANDLERS", handlers):
        yield


@contextmanager
def one_partition_for_all() -> Iterator[None]:
    """Users share what is keyed by user alone: another's sockets are told of one's threads."""
    with replaced(keys, "user_partition", lambda user: "USER#all"):
        yield


@contextmanager
def unsent_end_is_let_go() -> Iterator[None]:
    """An end that could not be posted counts as posted."""
    drain = Broadcast.drain

    async def content(self: Broadcast, *, patience_s: float = DRAIN_S) -> bool:
        await drain(self, patience_s=patience_s)
        return True

    with replaced(Broadcast, "drain", content):
        yield


@contextmanager
def no_look_after_the_question() -> Iterator[None]:
    """An engine that leaves its run to the user does not look whether it was cancelled meanwhile."""

    ask = Attempt.ask

    async def hasty(self: Attempt, calls: Sequence[OpenCall], *, elapsed_ms: int) -> Any:
        broadcast = self._bridge.broadcast
        with replaced(broadcast, "flush", partial(_without_looking, broadcast)):
            return await ask(self, calls, elapsed_ms=elapsed_ms)

    with replaced(Attempt, "ask", hasty):
        yield


@contextmanager
def agents_know_nothing() -> Iterator[None]:
    """An agent is not given what was said before in its thread."""

    async def none(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
        return ()

    with replaced(engine, "read_history", none):
        yield


ALL: Final = (
    Broken(unsent_end_is_let_go, 21, fates={Fate.REFUSED}),
    Broken(no_look_after_the_question, 311, fates={Fate.SLOW}, deeds={"cancel", "question"}),
    Broken(agents_know_nothing, 2, deeds={"run_more"}),
    Broken(cancel_of_any_run, 43, fates={Fate.SLOW, Fate.DIES_AFTER}, deeds={"run_more", "cancel"}),
    Broken(audience_before_the_end, 98),
    Broken(attach_reads_first, 16, fates={Fate.SLOW}, deeds={"drop", "attach", "reload"}),
    Broken(one_partition_for_all, 10),
)
