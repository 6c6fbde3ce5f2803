"""Breaking who is shown what, and who is heard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dayfly.admission import attaching, router
from dayfly.admission.caller import Caller
from dayfly.admission.services import Services
from dayfly.ports.table import Action, Delete, Table
from dayfly.protocol.frames import Attach
from dayfly.protocol.replies import Attached
from dayfly.publisher import audience, finish
from dayfly.publisher.audience import Audience
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.settle import settle
from dayfly.runlog import keys
from dayfly.runlog.keys import Key
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

    def loose(*, sockets: tuple[str, ...], cancelled: frozenset[str]) -> Audience:
        return Audience(sockets, _Every(cancelled))

    with replaced(audience, "Audience", loose):
        yield


@contextmanager
def audience_before_the_end() -> Iterator[None]:
    """Who watches is not read again after the last append."""

    async def blind(bridge: WebSocketBridge) -> bool:
        return await bridge.delivery.drain()

    with replaced(finish, "see_off", blind):
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


ALL: Final = (
    Broken(cancel_of_any_run, 0, fates={Fate.SLOW, Fate.DIES_AFTER}, deeds={"run_more", "cancel"}),
    Broken(audience_before_the_end, 11),
    Broken(attach_reads_first, 3, fates={Fate.SLOW}, deeds={"drop", "attach", "reload"}),
    Broken(one_partition_for_all, 1),
)
