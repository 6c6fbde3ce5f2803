"""The values that a template is made of, and typed looks into them."""

from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]


class TemplateError(Exception):
    """The template cannot be run; the message is one line for the developer."""


def as_object(value: Json, what: str) -> Object:
    """The object `value`; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TemplateError(f"{what} must be an object")
    return value


def as_list(value: Json, what: str) -> list[Json]:
    """The list `value`; an absent one is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise TemplateError(f"{what} must be a list")
    return value


def as_text(value: Json, what: str) -> str:
    """The scalar `value` as CloudFormation writes it: booleans as `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateError(f"{what} must be a string")


def as_int(value: Json, what: str) -> int:
    """The whole number `value`, which may be written as a string."""
    try:
        return int(as_text(value, what))
    except ValueError:
        raise TemplateError(f"{what} must be a whole number, not {value!r}") from None


def as_float(value: Json, what: str) -> float:
    """The number `value`, which may be written as a string."""
    try:
        return float(as_text(value, what))
    except ValueError:
        raise TemplateError(f"{what} must be a number, not {value!r}") from None
