"""The end of a log."""

from __future__ import annotations

from emulator.functions.log import TAIL_BYTES, Tail


def test_a_short_log_is_whole() -> None:
    """Every line with its end."""
    tail = Tail()
    tail.add("one")
    tail.add("zwölf")
    assert tail.value() == "one\nzwölf\n".encode()


def test_of_a_long_log_the_end_is_kept() -> None:
    """4 KB, the first line cut; a line longer than that is cut as well."""
    tail = Tail()
    for number in range(1000):
        tail.add(f"{number:03} " + "x" * 50)
    assert len(tail.value()) == TAIL_BYTES
    assert tail.value().endswith(b"\n999 " + b"x" * 50 + b"\n")
    tail.add("y" * 5000)
    assert tail.value() == b"y" * (TAIL_BYTES - 1) + b"\n"
