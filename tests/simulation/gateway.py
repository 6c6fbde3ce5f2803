"""API Gateway: whose socket is open, and what becomes of frames on their way."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.delivery.sockets import Connections
from dayfly.errors import Gone
from tests.simulation.actors import Actor
from tests.simulation.ports import Line, SimTable
from tests.simulation.weather import Kind

if TYPE_CHECKING:
    from tests.simulation.device import Device
    from tests.simulation.world import World

CONNECT_S = 10.0
"""How long a `$connect` may take."""


@dataclass(eq=False)
class Connection:
    """A socket. `heard`: what is posted to it reaches its device; a socket may be dead without anybody knowing."""

    name: str
    device: "Device"
    open: bool = True
    heard: bool = True
    stuck_until: float = 0.0


class Gateway:
    """All sockets."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.connections: dict[str, Connection] = {}

    def connect(self, device: "Device") -> None:
        """`$connect`: the device is told when its socket is open, or that it will not be."""
        world = self._world
        connection = Connection(f"k{len(self.connections) + 1}", device)
        self.connections[connection.name] = connection
        actor = world.actor(Kind.SOCKET, connection.name)

        async def opened() -> None:
            table = SimTable(Line(world, actor))
            sockets = Connections(table=table, clock=actor)
            await sockets.opened(connection_id=connection.name, user_id=device.user, tenant_id=device.user)

        def on_end(ended: Actor) -> None:
            if ended.finished and ended.error is None:
                device.opened(connection)
            else:
                connection.open = connection.heard = False
                device.refused()

        actor.start(opened(), on_end)
        world.later(CONNECT_S, actor.die)

    def close(self, connection: Connection, *, known: bool) -> None:
        """A socket ends. Unless that is `known`, posts to it seem to go well for a while."""
        world = self._world
        connection.heard = False
        if not known:
            world.later(world.dice.between(1.0, 20.0), self.close_known, connection)
        else:
            self.close_known(connection)

    def close_known(self, connection: Connection) -> None:
        """`$disconnect`, best effort."""
        world = self._world
        if not connection.open:
            return
        connection.open = False
        actor = world.actor(Kind.SOCKET, connection.name)

        async def closed() -> None:
            sockets = Connections(table=SimTable(Line(world, actor)), clock=actor)
            await sockets.closed(connection_id=connection.name, user_id=connection.device.user)

        if not world.weather.happens(world.weather.chances.frame_lost):
            actor.start(closed(), lambda ended: None)

    def stuck(self, name: str) -> float:
        """Seconds for which a socket takes nothing."""
        connection = self.connections.get(name)
        return max(0.0, connection.stuck_until - self._world.loop.now) if connection is not None else 0.0

    def deliver(self, actor: Actor, name: str, frame: bytes) -> None:
        """A frame is posted. Raises `Gone`."""
        connection = self.connections.get(name)
        if connection is None or not connection.open:
            raise Gone(name)
        raw = frame.decode()
        value = json.loads(raw)
        self._world.posts.posted(actor, connection.device.user, name, value, raw)
        if connection.heard:
            connection.device.receive(value, raw)
