"""Breaking who is shown what, and who is heard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dayfly.admission import attaching, router
from dayfly.admission.caller import Caller
from dayfly.admission.services import Services
from dayfly.engine import attempt, engine
from dayfly.ports.table import Action, Delete, Table
from dayfly.protocol.frames import Attach
from dayfly.protocol.replies import Attached
from dayfly.publisher import audience, finish
from dayfly.publisher.audience import Audience
from dayfly.publisher.delivery import DRAIN_S, Delivery
from dayfly.publisher.seeing_off import SeenOff
from dayfly.publisher.settle import settle
from dayfly.runlog import keys
from dayfly.runlog.keys import Key
from dayfly.runlog.messages import Message
from dayfly.runlog.rows import ThreadRow
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


async def _without_looking(delivery: Delivery, *, drain_s: float = DRAIN_S) -> SeenOff:
    return SeenOff(None, posted=await delivery.drain(patience_s=drain_s))


@contextmanager
def audience_before_the_end() -> Iterator[None]:
    """Who watches is not read again after the last append."""

    with replaced(finish, "see_off", _without_looking):
        yield


@contextmanager
def attach_reads_first() -> Iterator[None]:
    """An attach reads thread and logs, and only then writes its row."""
    late: dict[Key, tuple[Action, ...]] = {}

    async def later(table: Table, *actions: Action, token: str | None = None) -> None:
        if isinstance(actions[0], Delete):
            await settle(table, *actions, token=token)
        else:
            late[actions[0].key] = actions

    async def reading(services: Services, caller: Caller, frame: Attach) -> Attached:
        reply = await attaching.attach(services, caller, frame)
        row = keys.socket_of_thread_key(caller.user, frame.thread_id, caller.connection)
        await settle(services.table, *late.get(row, ()))
        return reply

    with replaced(attaching, "settle", later), replaced(router, "attach", reading):
        yield


@contextmanager
def one_partition_for_all() -> Iterator[None]:
    """Users share what is keyed by user alone: another's sockets are told of one's threads."""
    with replaced(keys, "user_partition", lambda user: "USER#all"):
        yield


@contextmanager
def unsent_end_is_let_go() -> Iterator[None]:
    """An end that could not be posted counts as posted."""
    drain = Delivery.drain

    async def content(self: Delivery, *, patience_s: float = DRAIN_S) -> bool:
        await drain(self, patience_s=patience_s)
        return True

    with replaced(Delivery, "drain", content):
        yield


@contextmanager
def no_look_after_the_question() -> Iterator[None]:
    """An engine that leaves its run to the user does not look whether it was cancelled meanwhile."""

    with replaced(attempt, "see_off", _without_looking):
        yield


@contextmanager
def agents_know_nothing() -> Iterator[None]:
    """An agent is not given what was said before in its thread."""

    async def none(table: Table, thread: ThreadRow) -> tuple[Message, ...]:
        return ()

    with replaced(engine, "read_history", none):
        yield


ALL: Final = (
    Broken(unsent_end_is_let_go, 4, fates={Fate.REFUSED}),
    Broken(no_look_after_the_question, 286, fates={Fate.SLOW}, deeds={"cancel", "question"}),
    Broken(agents_know_nothing, 1, deeds={"run_more"}),
    Broken(cancel_of_any_run, 102, fates={Fate.SLOW, Fate.DIES_AFTER}, deeds={"run_more", "cancel"}),
    Broken(audience_before_the_end, 41),
    Broken(attach_reads_first, 73, fates={Fate.SLOW}, deeds={"drop", "attach", "reload"}),
    Broken(one_partition_for_all, 10),
)
