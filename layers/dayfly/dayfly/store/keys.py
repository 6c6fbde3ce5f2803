"""The keys of the one table. Everything a user owns lies under one partition, so that IAM can fence it."""

from dataclasses import dataclass
from typing import Final

SEQ_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A row's place: partition and sort key."""

    pk: str
    sk: str


def user_partition(user: str) -> str:
    """The partition of all a user owns."""
    return f"USER#{user}"


def thread_key(user: str, thread: str) -> Key:
    """The thread: its title, version and active run."""
    return Key(user_partition(user), f"{THREADS}{thread}")


def run_key(user: str, thread: str, run: str) -> Key:
    """The run's admission facts."""
    return Key(user_partition(user), f"{run_prefix(thread)}{run}")


def run_prefix(thread: str) -> str:
    """The sort keys of one thread's runs."""
    return f"RUN#{thread}#"


def log_key(user: str, run: str, seq: int) -> Key:
    """One batch of the run log, at its first seq."""
    return Key(user_partition(user), f"{log_prefix(run)}{seq:0{SEQ_DIGITS}d}")


def log_prefix(run: str) -> str:
    """The sort keys of one run's log."""
    return f"LOG#{run}#"


def live_prefix(thread: str) -> str:
    """One prefix for the attached sockets and the cancel marks of a thread, so that one Query watches both."""
    return f"LIVE#{thread}#"


def socket_of_thread_key(user: str, thread: str, connection: str) -> Key:
    """A socket attached to a thread."""
    return Key(user_partition(user), f"{live_prefix(thread)}SOCKET#{connection}")


def cancel_mark_key(user: str, thread: str, run: str) -> Key:
    """The mark that asks a run to end; bound to its run."""
    return Key(user_partition(user), f"{live_prefix(thread)}CANCEL#{run}")


def history_prefix(thread: str) -> str:
    """The sort keys of one thread's history."""
    return f"HIST#{thread}#"


def history_key(user: str, thread: str, place: int, run: str, nonce: str) -> Key:
    """One immutable piece of history. The nonce keeps two writers of one ending apart; the thread points to one."""
    return Key(user_partition(user), f"{history_prefix(thread)}{place:08d}#{run}#{nonce}")


def lease_key(user: str, run: str) -> Key:
    """The run's lease."""
    return Key(user_partition(user), f"{LEASES}{run}")


def forget_key(user: str, thread: str) -> Key:
    """What drives the deletion of a forgotten thread."""
    return Key(user_partition(user), f"{FORGETS}{thread}")


def request_key(user: str, request: str) -> Key:
    """The client's request id, for idempotency."""
    return Key(user_partition(user), f"REQ#{request}")


def quota_key(user: str) -> Key:
    """The user's active runs and windows."""
    return Key(user_partition(user), "QUOTA")


def socket_key(user: str, connection: str) -> Key:
    """One of the user's open sockets."""
    return Key(user_partition(user), f"{SOCKETS}{connection}")


def connection_key(connection: str) -> Key:
    """Whose socket a connection is: the one row outside the users' partitions."""
    return Key(f"CONN#{connection}", "CONN")


def note_key(user: str, note: str) -> Key:
    """One of the user's notes."""
    return Key(user_partition(user), f"{NOTES}{note}")


THREADS: Final = "THREAD#"
LEASES: Final = "LEASE#"
FORGETS: Final = "FORGET#"
SOCKETS: Final = "SOCK#"
NOTES: Final = "NOTE#"


def part_key(user: str, owner: str, part: int) -> Key:
    """A part of a long value that belongs to the row with the sort key `owner` and its writer's nonce."""
    return Key(user_partition(user), f"{part_prefix(owner)}#{part:04d}")


def part_prefix(owner: str) -> str:
    """The sort keys of the parts of all owners whose names begin so."""
    return f"PART#{owner}"


LEASE_SHARDS: Final = tuple(f"LEASES#{place}" for place in range(4))
"""The parts of the lease index: a partition of it takes 1,000 writes a second, and every active run renews its lease.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""
ENDED_SHARDS: Final = tuple(f"ENDED#{place}" for place in range(4))
"""Likewise, for runs that have ended and whose end is not yet posted to all."""


def lease_shard(name: str) -> str:
    """The part of the lease index that a run's or a thread's row stands in: by its id's last character, which is
    random."""
    return LEASE_SHARDS[ord(name[-1]) % len(LEASE_SHARDS)]


def ended_shard(run: str) -> str:
    """The part of the lease index that an ended run's row stands in."""
    return ENDED_SHARDS[ord(run[-1]) % len(ENDED_SHARDS)]
