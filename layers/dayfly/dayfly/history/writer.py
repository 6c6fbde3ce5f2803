"""Writing a run's piece of history, before the thread points to it."""

from dayfly.context.run_ref import RunRef
from dayfly.errors import IllegalTransition
from dayfly.history.chunks import chunks_of, with_chunks
from dayfly.log.messages import Message
from dayfly.store.retry import retry_write
from dayfly.store.rows import HistoryRow, ThreadRow
from dayfly.store.table import Absent, ConditionsFailed, Put, Table


async def write_piece(
    table: Table, ref: RunRef, thread: ThreadRow, messages: tuple[Message, ...], *, nonce: str, at: int
) -> HistoryRow:
    """Writes the run's messages as the piece after the thread's newest, and returns its row; the thread does not point
    to it yet. The key is immutable and, by the writer's `nonce`, no other writer's: a repeat writes the same bytes.

    Args:
        thread: As it stands before the run's end.
        at: When the run ends, in milliseconds since the epoch.

    Raises:
        IllegalTransition: The key holds something else.
        Unsettled: The table did not answer.
    """
    piece = HistoryRow(
        user_id=ref.user_id,
        thread_id=ref.thread_id,
        place=thread.ended + 1,
        run_id=ref.run_id,
        nonce=nonce,
        previous=thread.history_head,
        at=at,
    )
    piece = await with_chunks(table, piece, chunks_of(messages))
    try:
        await retry_write(table, Put(piece, Absent()))
    except ConditionsFailed as failed:
        if failed.found[0] != piece:
            raise IllegalTransition("a piece of history would change") from failed
    return piece
