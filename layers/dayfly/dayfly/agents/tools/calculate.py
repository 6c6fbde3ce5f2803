"""A calculator that evaluates nothing but arithmetic, with bounded work.

The expression is parsed as Python, and the tree is walked over a closed list of nodes; nothing is ever executed.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from typing import Final

from dayfly.agents.sdk.tool_context import ToolError

Number = int | float

MAX_CHARS: Final = 500
MAX_DEPTH: Final = 250
MAX_DIGITS: Final = 1_000
"""Decimal digits of any whole number on the way: the bound of the work one operation can be."""

_ALPHABET: Final = r"[\w\s.,()+\-*/%]+"
_GLUED: Final = r"\d(?:[eE](?![+\-\d])|[^\W\deE])"
"""A word that sticks to a number, such as 2pi; 1e5 is a number."""

_MAX_BITS: Final = int(MAX_DIGITS * math.log2(10))


_BINARY: Final[dict[type[ast.operator], Callable[[Number, Number], Number]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Number], Number]]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_CONSTANTS: Final[dict[str, float]] = {"pi": math.pi, "e": math.e, "tau": math.tau}


def _round(number: Number, digits: Number = 0) -> Number:
    places = int(digits)
    if not -MAX_DIGITS <= places <= MAX_DIGITS:
        raise ToolError("That is too many places to round to.")
    return round(number, places) if places else round(number)


def _sqrt(number: Number) -> Number:
    if isinstance(number, int) and number >= 0 and (root := math.isqrt(number)) ** 2 == number:
        return root
    return math.sqrt(number)


# name: function, fewest arguments, most arguments
_FUNCTIONS: Final[dict[str, tuple[Callable[..., Number], int, int]]] = {
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "cos": (math.cos, 1, 1),
    "exp": (math.exp, 1, 1),
    "floor": (math.floor, 1, 1),
    "ln": (math.log, 1, 1),
    "log": (math.log10, 1, 1),
    "log10": (math.log10, 1, 1),
    "log2": (math.log2, 1, 1),
    "max": (max, 2, 50),
    "min": (min, 2, 50),
    "round": (_round, 1, 2),
    "sin": (math.sin, 1, 1),
    "sqrt": (_sqrt, 1, 1),
    "tan": (math.tan, 1, 1),
}
FUNCTIONS: Final = frozenset(_FUNCTIONS)
"""The names of all functions."""


def calculate(expression: str) -> str:
    """Evaluates an arithmetic expression exactly, with whole and decimal numbers.

    Args:
        expression: For example "17 * 23", "(2 + 3) ^ 4 / 7", "sqrt(2) * pi" or "round(10 / 3, 2)".
    """
    # Whole numbers are written exactly, others with up to 12 significant digits. The docstring is what the model reads:
    # that `ToolError` says what is not arithmetic, not defined or too much work is not for it.
    if len(expression) > MAX_CHARS:
        raise ToolError(f"An expression has at most {MAX_CHARS} characters.")
    text = _as_python(expression)
    if not text:
        raise ToolError("There is nothing to calculate.")
    if not re.fullmatch(_ALPHABET, text) or re.search(_GLUED, text):
        raise ToolError(f"{expression.strip()} is not an arithmetic expression.")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"{expression.strip()} is not an arithmetic expression.") from error
    try:
        return _written(_value(tree.body, MAX_DEPTH))
    except ZeroDivisionError as error:
        raise ToolError("Division by zero is not defined.") from error
    except OverflowError as error:
        raise ToolError("The result is too large.") from error
    except ValueError as error:
        raise ToolError(f"{expression.strip()} is not defined for real numbers.") from error


def _as_python(expression: str) -> str:
    """The signs people write, as Python has them. Commas between groups of three digits, as in 1,000, are dropped, but
    not inside parentheses, where they part a function's arguments."""
    text = expression.strip().rstrip("=? ").translate(str.maketrans("×·÷−–", "**/--")).replace("^", "**")
    return re.sub(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)(?![^()]*\))", lambda match: match[0].replace(",", ""), text)


def _value(node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise ToolError(f"An expression nests at most {MAX_DEPTH} deep.")
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return _bounded(number)
        case ast.Name(id=name) if name.casefold() in _CONSTANTS:
            return _CONSTANTS[name.casefold()]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand, depth - 1))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, depth - 1), _value(right, depth - 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left, depth - 1), _value(right, depth - 1)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name.casefold() in _FUNCTIONS:
            return _call(name.casefold(), [_value(argument, depth - 1) for argument in arguments])
    raise ToolError(f"I can calculate with numbers, + - * / // % ^, and {', '.join(sorted(_FUNCTIONS))} only.")


def _call(name: str, arguments: Sequence[Number]) -> Number:
    function, fewest, most = _FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        raise ToolError(f"{name} takes {fewest if fewest == most else f'{fewest} to {most}'} numbers.")
    return _bounded(function(*arguments))


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        # The bits of base^exponent are known before it is worked out.
        if base.bit_length() * exponent > _MAX_BITS + base.bit_length() and abs(base) > 1:
            raise ToolError(f"The result has more than {MAX_DIGITS} digits.")
        return _bounded(base**exponent)
    result = float(base) ** exponent
    if isinstance(result, complex):
        raise ToolError("The result is not a real number.")
    return _bounded(result)


def _bounded(number: Number) -> Number:
    if isinstance(number, int):
        if number.bit_length() > _MAX_BITS:
            raise ToolError(f"The result has more than {MAX_DIGITS} digits.")
    elif not math.isfinite(number):
        raise ToolError("The result is too large.")
    return number


def _written(number: Number) -> str:
    if isinstance(number, int):
        return str(number)
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.12g}"
