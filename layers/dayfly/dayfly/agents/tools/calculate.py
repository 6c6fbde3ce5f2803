"""Arithmetic as a tool."""

from dayfly.agents.sdk.tool_context import ToolError
from dayfly.agents.tools.arithmetic import ArithmeticRefused, evaluate


def calculate(expression: str) -> str:
    """Evaluates an arithmetic expression exactly, with whole and decimal numbers.

    Args:
        expression: For example "17 * 23", "(2 + 3) ^ 4 / 7", "sqrt(2) * pi" or "round(10 / 3, 2)".
    """
    try:
        return evaluate(expression)
    except ArithmeticRefused as refusal:
        raise ToolError(str(refusal)) from refusal
