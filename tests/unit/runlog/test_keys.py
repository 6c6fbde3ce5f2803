"""Keys: what belongs together lies together, and in order."""

import random

from dayfly.ports.table import Span
from dayfly.runlog import keys

USER = "u-alice"


def test_a_runs_log_sorts_by_seq() -> None:
    """Sort keys of batches sort as their seqs do, up to the largest."""
    seqs = [1, 2, 9, 10, 99, 100, 12345, 10**12 - 1]
    sks = [keys.log_key(USER, "r-1", seq).sk for seq in seqs]
    random.Random(1).shuffle(sks)
    assert sorted(sks) == [keys.log_key(USER, "r-1", seq).sk for seq in seqs]


def test_history_sorts_by_turn() -> None:
    """Pieces of history sort by turn, whatever their runs and nonces."""
    pieces = [
        keys.history_key(USER, "t", turn, run, "n").sk for turn, run in [(1, "z"), (2, "a"), (10, "b"), (11, "a")]
    ]
    assert pieces == sorted(pieces)


def test_keys_are_spelled_as_stored() -> None:
    """Rows that are stored are found again by these very keys, and what a prefix leads to begins with it."""
    spelled = {
        keys.thread_key(USER, "t-1"): "THREAD#t-1",
        keys.run_key(USER, "t-1", "r-1"): "RUN#t-1#r-1",
        keys.log_key(USER, "r-1", 7): "LOG#r-1#000000000007",
        keys.socket_of_thread_key(USER, "t-1", "c="): "LIVE#t-1#SOCKET#c=",
        keys.cancel_mark_key(USER, "t-1", "r-1"): "LIVE#t-1#CANCEL#r-1",
        keys.history_key(USER, "t-1", 3, "r-1", "n"): "HIST#t-1#00000003#r-1#n",
        keys.lease_key(USER, "r-1"): "LEASE#r-1",
        keys.forget_key(USER, "t-1"): "FORGET#t-1",
        keys.request_key(USER, "q-1"): "REQ#q-1",
        keys.quota_key(USER): "QUOTA",
        keys.socket_key(USER, "c="): "SOCK#c=",
        keys.note_key(USER, "n"): "NOTE#n",
        keys.part_key(USER, "LOG#r-1#000000000007#n", 2): "PART#LOG#r-1#000000000007#n#0002",
    }
    assert {(key.pk, key.sk) for key in spelled} == {("USER#u-alice", sk) for sk in spelled.values()}
    assert all(key.sk == sk for key, sk in spelled.items())
    assert keys.connection_key("c=") == keys.Key("CONN#c=", "CONN")
    prefixes = (keys.run_prefix("t-1"), keys.log_prefix("r-1"), keys.live_prefix("t-1"), keys.history_prefix("t-1"))
    assert prefixes == ("RUN#t-1#", "LOG#r-1#", "LIVE#t-1#", "HIST#t-1#")
    assert keys.part_prefix("LOG#r-1") == "PART#LOG#r-1"


def test_the_last_character_of_an_id_chooses_its_shard() -> None:
    """Ids differ in it at random; what stands before it is the time, by which all would crowd into one shard."""
    for last, place in (("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 0)):
        for first in ("r-0", "r-1"):
            assert keys.lease_shard(f"{first}{last}") == f"LEASES#{place}"
            assert keys.ended_shard(f"{first}{last}") == f"ENDED#{place}"
    assert keys.LEASE_SHARDS == ("LEASES#0", "LEASES#1", "LEASES#2", "LEASES#3")
    assert keys.ENDED_SHARDS == ("ENDED#0", "ENDED#1", "ENDED#2", "ENDED#3")


def test_a_prefix_holds_its_own_and_nothing_else() -> None:
    """A thread's prefix span does not reach into a thread whose name begins with its name."""
    span = Span.prefix(keys.user_partition(USER), keys.live_prefix("t-1"))

    def inside(key: keys.Key) -> bool:
        return key.pk == span.pk and span.first <= key.sk <= span.last

    assert inside(keys.socket_of_thread_key(USER, "t-1", "L0SM9cOFvHcCIhw="))
    assert inside(keys.cancel_mark_key(USER, "t-1", "r-1"))
    assert not inside(keys.socket_of_thread_key(USER, "t-12", "L0SM9cOFvHcCIhw="))
    assert not inside(keys.socket_of_thread_key("u-bob", "t-1", "L0SM9cOFvHcCIhw="))


def test_all_a_user_owns_is_one_partition() -> None:
    """Every key but the connection's lies under the user's partition."""
    made = [
        keys.thread_key(USER, "t"),
        keys.run_key(USER, "t", "r"),
        keys.log_key(USER, "r", 1),
        keys.socket_of_thread_key(USER, "t", "c"),
        keys.cancel_mark_key(USER, "t", "r"),
        keys.history_key(USER, "t", 1, "r", "n"),
        keys.lease_key(USER, "r"),
        keys.request_key(USER, "q"),
        keys.quota_key(USER),
        keys.socket_key(USER, "c"),
        keys.note_key(USER, "n"),
        keys.part_key(USER, "LOG#n#0", 0),
    ]
    assert {key.pk for key in made} == {"USER#u-alice"}
    assert len(set(made)) == len(made)
    assert keys.connection_key("c").pk == "CONN#c"
