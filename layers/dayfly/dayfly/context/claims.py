"""Claims of a user's token that agents and tools may know: which, how many, and how they travel.

They go from the authorizer to the router as a text, lie with the run that they were sent with, and are read where an
agent runs. Whose run it is never depends on them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

MAX_BYTES: Final = 2048
"""Bytes of all chosen claims together, as JSON in UTF-8. API Gateway takes 8 KB of an authorizer, in which some
characters may count three times."""

Claim: TypeAlias = "bool | int | float | str | tuple[Claim, ...] | Mapping[str, Claim] | None"
"""A value of a claim, frozen: a list of the token is a tuple here, an object a read-only mapping."""

Claims = Mapping[str, Claim]
"""Chosen claims by their names, read-only."""

NO_CLAIMS: Final[Claims] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ChosenClaims:
    """The claims that fit, as JSON text (empty if there are none), and the names of those that were left out."""

    text: str
    left_out: tuple[str, ...] = ()


def choose_claims(token: Mapping[str, object], names: tuple[str, ...]) -> ChosenClaims:
    """Takes the claims with these names out of a token's, in this order. One that the token lacks is not there; one
    that does not fit besides those before it, or that JSON can not hold, is left out as a whole."""
    chosen: dict[str, object] = {}
    left_out: list[str] = []
    text = ""
    for name in names:
        if name not in token or name in chosen or name in left_out:
            continue
        longer = _encoded({**chosen, name: token[name]})
        if longer is None:
            left_out.append(name)
        else:
            chosen[name], text = token[name], longer
    return ChosenClaims(text, tuple(left_out))


def read_claims(text: str | None) -> Claims:
    """The claims of such a text; none of an empty one. Raises `ValueError` for any other text."""
    if not text:
        return NO_CLAIMS
    claims = json.loads(text)
    if not isinstance(claims, dict):
        raise ValueError("claims are a JSON object")
    return MappingProxyType({name: _frozen(value) for name, value in claims.items()})


def _encoded(claims: Mapping[str, object]) -> str | None:
    try:
        text = json.dumps(claims, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text if len(text.encode()) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        return None  # not a number, half of a character, or nested without end


def _frozen(value: object) -> Claim:
    if isinstance(value, dict):
        return MappingProxyType({name: _frozen(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(inner) for inner in value)
    assert value is None or isinstance(value, bool | int | float | str)  # noqa: S101  JSON has no other
    return value
