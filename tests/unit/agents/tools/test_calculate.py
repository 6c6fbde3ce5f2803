"""The calculator: right, and bounded."""

import time

import pytest

from dayfly.agents.sdk import ToolError
from dayfly.agents.tools.calculate import MAX_CHARS, calculate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17 * 23", "391"),
        ("17 × 23 =", "391"),
        ("2 ^ 10", "1024"),
        ("2 ** 0.5", "1.41421356237"),
        ("-2 ^ 2", "-4"),
        ("(1 + 2) ÷ 4", "0.75"),
        ("7 // 2 + 7 % 4", "6"),
        ("10 / 5", "2"),
        ("0.1 + 0.2", "0.3"),
        ("sqrt(16)", "4"),
        ("Round(10 / 3, 2)", "3.33"),
        ("max(1, 200, 3)", "200"),
        ("1,000,000 + 1", "1000001"),
        ("abs(-5) − 1", "4"),
        ("sin(0) + cos(0)", "1"),
        ("1e3 * 2", "2000"),
        ("2 * pi", "6.28318530718"),
        ("2 ^ -1", "0.5"),
        ("1+" * 249 + "1", "250"),
        ("99999999999 * 99999999999", "9999999999800000000001"),
    ],
)
def test_values(expression: str, value: str) -> None:
    """What people write gives what they expect."""
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("1 / 0", "Division by zero"),
        ("5 % 0", "zero"),
        ("0 ^ -1", "zero"),
        ("", "nothing"),
        ("two plus two", "not an arithmetic"),
        ("1 +", "not an arithmetic"),
        ("2pi", "not an arithmetic"),
        ("0x10", "not an arithmetic"),
        ("1or 2", "not an arithmetic"),
        ("'a' * 3", "not an arithmetic"),
        ("x + 1", "only"),
        ("sqrt(-1)", "real"),
        ("(-8) ^ 0.5", "real"),
        ("log(0)", "real"),
        ("sqrt(1, 2)", "takes 1"),
        ("exp(1000)", "too large"),
        ("10.0 ^ 400", "too large"),
        ("9**9**9**9", "more than 1000 digits"),
        ("1" * (MAX_CHARS + 1), "characters"),
    ],
)
def test_refusals(expression: str, why: str) -> None:
    """What has no value is refused with its reason."""
    with pytest.raises(ToolError, match=why):
        calculate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "9 ^ 9 ^ 9",
        "9 ^ 99999999999999",
        "2 ^ 3000 * 2 ^ 3000",
        "(((((9 ^ 900) ^ 900) ^ 900) ^ 900) ^ 900)",
        "-" * 400 + "1",
        "round(1.5, 10 ^ 9)",
    ],
)
def test_too_much_work_is_refused_before_it_is_done(expression: str) -> None:
    """Nothing that would take long, or deep recursion, is begun."""
    started = time.perf_counter()
    with pytest.raises(ToolError):
        calculate(expression)
    assert time.perf_counter() - started < 0.2


@pytest.mark.parametrize(
    "expression",
    ["__import__('os')", "().__class__", "[1, 2]", "{1}", "(lambda: 1)()", "1 if 1 else 2", "1 < 2", "True", "f(x=1)",
     "abs(*(1, 2))", "(1).real", "1 and 2", "not 1", "~1", "1 << 9", "1j", "max", "a := 1", "1; 2"],
)  # fmt: skip
def test_nothing_but_arithmetic(expression: str) -> None:
    """No other Python is understood, let alone executed."""
    with pytest.raises(ToolError):
        calculate(expression)
