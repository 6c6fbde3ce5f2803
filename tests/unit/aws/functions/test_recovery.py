"""The recovery function's root. (What it does is in the contract suite and in recovery's own tests.)"""

from dayfly.context.ids import new_run_id
from dayfly.store.keys import LEASE_SHARDS, lease_shard


def test_the_sweep_looks_into_every_shard() -> None:
    """The shards that leases are spread over are those that the sweep takes, all of them."""
    assert {lease_shard(new_run_id(1_764_000_000_000)) for _ in range(500)} == set(LEASE_SHARDS)
