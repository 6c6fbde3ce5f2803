"""Whose socket is whose."""

from dayfly.delivery.sockets import KEPT_S, Connections
from dayfly.store import keys
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import ConnectionRow, SocketRow
from tests.fakes.ports import ManualClock


async def test_an_open_socket_is_found_both_ways() -> None:
    """By the connection one finds the user, by the user the connection; both rows end by themselves after three
    hours."""
    table, clock = MemoryTable(), ManualClock()
    await Connections(table=table, clock=clock).opened(connection_id="C=", user_id="u-1", tenant_id="o-1")
    now, expires = clock.now_ms(), clock.now_ms() // 1000 + KEPT_S
    assert table.rows == {
        keys.connection_key("C="): ConnectionRow(
            connection_id="C=", user_id="u-1", tenant_id="o-1", connected=now, expires=expires
        ),
        keys.socket_key("u-1", "C="): SocketRow(user_id="u-1", connection_id="C=", connected=now, expires=expires),
    }


async def test_a_closed_socket_is_forgotten() -> None:
    """Closing removes that socket's rows and no other's, and may be told twice."""
    table = MemoryTable()
    connections = Connections(table=table, clock=ManualClock())
    await connections.opened(connection_id="A", user_id="u-1", tenant_id="o-1")
    await connections.opened(connection_id="B", user_id="u-1", tenant_id="o-1")
    for _ in range(2):
        await connections.closed(connection_id="A", user_id="u-1")
    assert set(table.rows) == {keys.connection_key("B"), keys.socket_key("u-1", "B")}
