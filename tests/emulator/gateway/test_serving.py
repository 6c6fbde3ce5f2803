"""Listening ports."""

from __future__ import annotations

import pytest

from emulator.gateway.http_server import PortBusy, bind


def test_port_0_takes_a_free_one() -> None:
    """Two sockets get two ports."""
    with bind("127.0.0.1", 0) as one, bind("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


def test_a_busy_port_is_named() -> None:
    """The message is fit to be shown."""
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            bind("127.0.0.1", port)


def test_an_impossible_port_is_no_traceback() -> None:
    """Over 65535."""
    with pytest.raises(PortBusy, match="70000"):
        bind("127.0.0.1", 70000)
