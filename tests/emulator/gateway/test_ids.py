"""Ids of connections, messages and requests."""

from __future__ import annotations

import pytest

from emulator.gateway.ids import is_id, new_id


def test_an_id_has_the_form_of_api_gateways() -> None:
    """16 characters, the last one "="; no two are the same."""
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 16 and each.endswith("=") and is_id(each) for each in ids)
    assert is_id("L0SM9cOFvHcCIhw=")


@pytest.mark.parametrize(
    "text", ["", "L0SM9cOFvHcCIhw", "L0SM9cOFvHcCIh/=", "L0SM9cOFvHcCIhw=\n", "L0SM9cOFvHcCIhw%3D"]
)
def test_another_form_is_none(text: str) -> None:
    """Missing padding, foreign characters, still encoded."""
    assert not is_id(text)
