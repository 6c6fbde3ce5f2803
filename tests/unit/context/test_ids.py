"""Ids that this backend gives."""

import re

from dayfly.context.ids import new_nonce, new_run_id, new_thread_id


def test_ids_sort_by_time() -> None:
    """Ids of later milliseconds sort behind those of earlier ones."""
    times = [0, 1, 31, 32, 1023, 1024, 1_764_000_000_000, 1_764_000_000_001, 2**49]
    ids = [new_run_id(at) for at in times]
    assert ids == sorted(ids)
    assert new_thread_id(5) < new_thread_id(6)


def test_ids_are_legal_and_differ() -> None:
    """An id is its letter and 26 characters that are legal on the wire; two of one moment differ."""
    ids = {new_run_id(1) for _ in range(500)} | {new_thread_id(1) for _ in range(500)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[rt]-[0-9a-hjkmnp-tv-z]{26}", each) for each in ids)


def test_nonces_fit_everywhere() -> None:
    """A nonce is 22 characters of a cursor's and a token's alphabet."""
    nonces = {new_nonce() for _ in range(500)}
    assert len(nonces) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", nonce) for nonce in nonces)
