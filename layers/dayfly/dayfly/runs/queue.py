"""The order of a thread's runs: one is active, the others wait, interrupts before the rest. Pure."""

from dataclasses import replace

from dayfly.store.rows import ThreadRow


def enqueued(thread: ThreadRow, run_id: str) -> ThreadRow:
    """The thread with the run at the end of the queue."""
    return replace(thread, queue=(*thread.queue, run_id))


def interrupting(thread: ThreadRow, run_id: str) -> ThreadRow:
    """The thread with the run at the front of the queue, after earlier interrupts."""
    queue, place = thread.queue, thread.interrupts
    return replace(thread, queue=(*queue[:place], run_id, *queue[place:]), interrupts=place + 1)


def advanced(thread: ThreadRow) -> ThreadRow:
    """The thread without its active run: the first in the queue becomes active, if there is one."""
    following = thread.queue[0] if thread.queue else None
    return replace(
        thread,
        active_run=following,
        queue=thread.queue[1:],
        interrupts=max(0, thread.interrupts - 1),
    )


def without(thread: ThreadRow, run_id: str) -> ThreadRow:
    """The thread without a queued run. Raises `ValueError` if the run is not in the queue."""
    place = thread.queue.index(run_id)
    return replace(
        thread,
        queue=(*thread.queue[:place], *thread.queue[place + 1 :]),
        interrupts=thread.interrupts - (1 if place < thread.interrupts else 0),
    )


def position_of(thread: ThreadRow, run_id: str) -> int | None:
    """The run's place in the queue, from 1; `None` if it is not queued."""
    return thread.queue.index(run_id) + 1 if run_id in thread.queue else None
