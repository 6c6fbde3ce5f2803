"""The rows of sockets: whose each is while it is open, and which threads it watches."""

from dataclasses import dataclass
from typing import Final

from dayfly.clock import Clock
from dayfly.context.caller import Caller
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import AttachedRow, ConnectionRow, SocketRow
from dayfly.store.table import Delete, Put, Table

KEPT_S: Final = 3 * 3600
"""API Gateway ends a socket after 2 hours; its rows are kept a little longer, then TTL takes what was left behind.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""


def attachment(caller: Caller, thread_id: str, *, now: int) -> AttachedRow:
    """The row by which the caller's connection watches a thread; `now` in milliseconds since the epoch."""
    return AttachedRow(
        user_id=caller.user_id,
        thread_id=thread_id,
        connection_id=caller.connection_id,
        attached=now,
        expires=now // 1000 + KEPT_S,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Keeps the rows of open sockets. If API Gateway sends no `$disconnect`, a row stays until a post to it answers 410
    or its TTL passes."""

    table: Table
    clock: Clock

    async def opened(self, *, connection_id: str, user_id: str, tenant_id: str) -> None:
        """Writes the socket's two rows, by connection and by user, in one transaction. Raises `Unsettled`."""
        now = self.clock.now_ms()
        expires = now // 1000 + KEPT_S
        await retry_write(
            self.table,
            Put(
                ConnectionRow(
                    connection_id=connection_id, user_id=user_id, tenant_id=tenant_id, connected=now, expires=expires
                )
            ),
            Put(SocketRow(user_id=user_id, connection_id=connection_id, connected=now, expires=expires)),
        )

    async def closed(self, *, connection_id: str, user_id: str) -> None:
        """Deletes both rows. The first post that is answered with 410 removes its attachments. Raises `Unsettled`."""
        await retry_write(
            self.table,
            Delete(keys.connection_key(connection_id)),
            Delete(keys.socket_key(user_id, connection_id)),
        )
