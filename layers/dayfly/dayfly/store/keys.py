"""The keys of the one table. Everything a user owns lies under one partition, so that IAM can fence it."""

from dataclasses import dataclass
from typing import Final

SEQ_DIGITS: Final = 12

THREADS: Final = "THREAD#"
LEASES: Final = "LEASE#"
FORGETS: Final = "FORGET#"
SOCKETS: Final = "SOCK#"
NOTES: Final = "NOTE#"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A row's place: partition and sort key."""

    pk: str
    sk: str


def user_partition(user_id: str) -> str:
    """The partition of all a user owns."""
    return f"USER#{user_id}"


def thread_key(user_id: str, thread_id: str) -> Key:
    """The thread: its title, version and active run."""
    return Key(user_partition(user_id), f"{THREADS}{thread_id}")


def run_key(user_id: str, thread_id: str, run_id: str) -> Key:
    """The run: what was admitted, and its present attempt."""
    return Key(user_partition(user_id), f"{run_prefix(thread_id)}{run_id}")


def run_prefix(thread_id: str) -> str:
    """The sort keys of one thread's runs."""
    return f"RUN#{thread_id}#"


def log_key(user_id: str, run_id: str, seq: int) -> Key:
    """One batch of the run log, at its first seq."""
    return Key(user_partition(user_id), f"{log_prefix(run_id)}{seq:0{SEQ_DIGITS}d}")


def log_prefix(run_id: str) -> str:
    """The sort keys of one run's log."""
    return f"LOG#{run_id}#"


def live_prefix(thread_id: str) -> str:
    """One prefix for the attached sockets and the cancel marks of a thread, so that one Query watches both."""
    return f"LIVE#{thread_id}#"


def socket_of_thread_key(user_id: str, thread_id: str, connection_id: str) -> Key:
    """A socket attached to a thread."""
    return Key(user_partition(user_id), f"{live_prefix(thread_id)}SOCKET#{connection_id}")


def cancel_mark_key(user_id: str, thread_id: str, run_id: str) -> Key:
    """The mark that asks a run to end; bound to its run."""
    return Key(user_partition(user_id), f"{live_prefix(thread_id)}CANCEL#{run_id}")


def history_prefix(thread_id: str) -> str:
    """The sort keys of one thread's history."""
    return f"HIST#{thread_id}#"


def history_key(user_id: str, thread_id: str, place: int, run_id: str, nonce: str) -> Key:
    """One immutable piece of history. The nonce keeps two writers of one ending apart; the thread points to one."""
    return Key(user_partition(user_id), f"{history_prefix(thread_id)}{place:08d}#{run_id}#{nonce}")


def lease_key(user_id: str, run_id: str) -> Key:
    """The run's lease."""
    return Key(user_partition(user_id), f"{LEASES}{run_id}")


def forget_key(user_id: str, thread_id: str) -> Key:
    """The row that drives the deletion of a forgotten thread."""
    return Key(user_partition(user_id), f"{FORGETS}{thread_id}")


def request_key(user_id: str, request_id: str) -> Key:
    """The client's request id, for idempotency."""
    return Key(user_partition(user_id), f"REQ#{request_id}")


def quota_key(user_id: str) -> Key:
    """The user's active runs and windows."""
    return Key(user_partition(user_id), "QUOTA")


def socket_key(user_id: str, connection_id: str) -> Key:
    """One of the user's open sockets."""
    return Key(user_partition(user_id), f"{SOCKETS}{connection_id}")


def connection_key(connection_id: str) -> Key:
    """Whose socket a connection is: the one row outside the users' partitions."""
    return Key(f"CONN#{connection_id}", "CONN")


def note_key(user_id: str, note: str) -> Key:
    """One of the user's notes."""
    return Key(user_partition(user_id), f"{NOTES}{note}")


def part_key(user_id: str, owner: str, part: int) -> Key:
    """A part of a long value that belongs to the row with the sort key `owner` and its writer's nonce."""
    return Key(user_partition(user_id), f"{part_prefix(owner)}#{part:04d}")


def part_prefix(owner: str) -> str:
    """The sort keys of the parts of all owners whose names begin so."""
    return f"PART#{owner}"


LEASE_SHARDS: Final = tuple(f"LEASES#{place}" for place in range(4))
"""The shards of the lease index: a partition of it takes 1,000 writes a second, and every active run renews its lease.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""
ENDED_SHARDS: Final = tuple(f"ENDED#{place}" for place in range(4))
"""Likewise, for runs that have ended and whose end was not posted to all yet."""


def lease_shard(name: str) -> str:
    """The shard of a run's lease or a thread's deletion, by its id's last character, which is random."""
    return LEASE_SHARDS[ord(name[-1]) % len(LEASE_SHARDS)]


def ended_shard(run_id: str) -> str:
    """The shard of an ended run's lease."""
    return ENDED_SHARDS[ord(run_id[-1]) % len(ENDED_SHARDS)]
