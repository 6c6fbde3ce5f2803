"""What the user wants done, found in their words: tools that are registered, with the arguments to call them with."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from dayfly.agents.demo.arguments import arguments_from, bare, json_in
from dayfly.agents.demo.shapes import ToolShape
from dayfly.agents.tools.calculate import FUNCTIONS

MAX_INTENTS: Final = 8


@dataclass(frozen=True, slots=True)
class Intent:
    """A tool to call."""

    tool: str
    arguments: dict[str, JsonValue]


def intents_of(text: str, tools: Sequence[ToolShape]) -> tuple[Intent, ...]:
    """At most one intent for each clause of the text, in their order; only for tools that are there.

    A JSON object behind a tool's name is that tool's arguments, to the letter.
    """
    given = json_in(text)
    if given and (tool := _foreign(given[0], tools)):
        return (Intent(tool.name, given[1]),)
    there = {tool.name for tool in tools}
    found = [intent for clause in _clauses(text) if (intent := _known(clause, there) or _named(clause, tools))]
    unique = [intent for place, intent in enumerate(found) if intent not in found[:place]]
    return tuple(unique[:MAX_INTENTS])


# A clause ends with a sentence, or where "and" begins another request.
_BREAK: Final = re.compile(
    r"(?<=[?!;])\s+|(?<=\D)\.\s+|(?<=\d)\.\s+(?=\D)|\n+|"
    r",?\s+(?:and then|and also|and|then|also)\s+(?=(?:please\s+)?"
    r"(?:what|what's|which|when|tell|remember|forget|delete|recall|search|find|calculate|compute|how|do you|did)\b)",
    re.IGNORECASE,
)


def _clauses(text: str) -> Iterator[str]:
    for clause in _BREAK.split(text):
        if stripped := clause.strip().rstrip(".?!; "):
            yield stripped


def _known(clause: str, there: set[str]) -> Intent | None:
    for tool, find in _FINDERS:
        if tool in there and (arguments := find(clause)) is not None:
            return Intent(tool, arguments)
    return None


def _search(clause: str) -> dict[str, JsonValue] | None:
    match = re.search(
        r"\bsearch (?:(?:through |in )?(?:my|our|the) )?(?:chat |thread |message )?(?:history|threads|chats"
        r"|conversations|messages)\b(?: (?:for|about))?\s*(.+)"
        r"|\bwhat (?:did|have) (?:i|we|you) (?:ever )?(?:say|said|talk|talked|write|tell you) (?:about|on)\s+(.+)"
        r"|\bdid (?:i|we) (?:ever )?(?:mention|talk about|speak about)\s+(.+)"
        r"|\bwhen did (?:i|we) (?:mention|talk about|speak about)\s+(.+)",
        clause,
        re.IGNORECASE | re.DOTALL,
    )
    return {"query": bare(_group(match))} if match else None


_POLITELY: Final = r"^(?:\W*(?:please|can you|could you|and|also)\b)*\W*"


def _remember(clause: str) -> dict[str, JsonValue] | None:
    match = re.search(
        rf"{_POLITELY}(?:remember|note|keep in mind)\b(?: that\b| this)?[:,]?"
        r"\s+(.+)",
        clause,
        re.IGNORECASE | re.DOTALL,
    )
    return {"text": match.group(1).strip()} if match else None


def _forget(clause: str) -> dict[str, JsonValue] | None:
    match = re.search(
        rf"{_POLITELY}(?:forget|delete|remove|erase)\s+(?:(?:all|any|every|of|my|your|the|this|that|those)\s+)*notes?\b"
        r"(?:\s+(?:about|that (?:says?|holds?)|which (?:says?|holds?)|saying|holding|on|of|with|that))?[:,]?\s+(.+)"
        rf"|{_POLITELY}forget\s+(?:about|that)\s+(.+)",
        clause,
        re.IGNORECASE | re.DOTALL,
    )
    return {"text": bare(_group(match))} if match else None


def _recall(clause: str) -> dict[str, JsonValue] | None:
    if re.match(rf"{_POLITELY}(?:forget|delete|remove|erase)\b", clause, re.IGNORECASE):
        return None  # "Delete my notes" asks for the opposite
    match = re.search(
        r"\bwhat (?:do|can) you (?:recall|remember|know)\b(?: about (.+))?"
        r"|\bdo you (?:recall|remember|know)\b (?:what )?(.+)"
        r"|^\W*(?:please )?recall\b\s*(.*)"
        r"|\bwhat(?:'s| is| are) my\s+(?!history)(.+)"
        r"|\b(?:my|your) notes\b",
        clause,
        re.IGNORECASE | re.DOTALL,
    )
    if not match:
        return None
    about = re.sub(r"^(?:my|the)\s+|\s+is$", "", bare(_group(match)), flags=re.IGNORECASE)
    everything = about.casefold() in {"", "me", "myself", "everything", "all", "notes", "you know"}
    return {} if everything or len(about.split()) > 3 else {"about": about}


def _time(clause: str) -> dict[str, JsonValue] | None:
    asked = re.search(
        r"\b(?:what(?:'s| is)?|tell me|know) (?:the )?(?:current |exact |local )?(?:time|date|day)\b|\btime is it\b"
        r"|\bcurrent time\b|\btime (?:now )?in\b|\bwhat day is\b|\btoday's date\b",
        clause,
        re.IGNORECASE,
    )
    if not asked:
        return None
    words = re.sub(r"\s+(?:right now|now|today|please|at the moment)\b", "", clause, flags=re.IGNORECASE)
    # Whatever stands there goes to the tool, which says so if it is no place; without a zone it would answer in UTC.
    place = re.search(r"\b(?:in|at|for)\s+([^\s,][^,]*)", words, re.IGNORECASE)
    zone = place.group(1).strip("\"'“”„ ") if place else ""
    return {"zone": zone} if zone else {}


_WORDS: Final = (
    (r"\b(?:multiplied by|times|x(?=\s*\d))", "*"),
    (r"\bdivided by\b", "/"),
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:mod|modulo)\b", "%"),
    (r"\bto the power of\b", "^"),
    (r"\bsquared\b", "^2"),
    (r"\bcubed\b", "^3"),
    (r"\b(?:the )?square root of\s+([\d.]+)", r"sqrt(\1)"),
    (r"([\d.]+)\s*(?:%|percent) of\s+", r"\1 / 100 * "),
)
_TERM: Final = rf"(?:\d[\d.,_]*(?:e[+-]?\d+)?|\b(?:pi|tau|{'|'.join(sorted(FUNCTIONS))})\b|[-+*/%^×·÷−(),]|\s)+"


def _calculate(clause: str) -> dict[str, JsonValue] | None:
    text = clause
    for words, sign in _WORDS:
        text = re.sub(words, sign, text, flags=re.IGNORECASE)
    candidates = [match.group().strip(" ,") for match in re.finditer(_TERM, text, re.IGNORECASE)]
    sums = [
        candidate
        for candidate in candidates
        if re.search(r"\d", candidate)
        and re.search(r"[\d)]\s*(?:\*\*|//|[-+*/%^×·÷−])\s*[-\d(a-z]|[a-z]\w*\s*\(", candidate)
    ]
    if not sums or _looks_like_a_date(sums[0]):
        return None
    return {"expression": max(sums, key=len)}


def _looks_like_a_date(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}|\+?\d{2,}(?:-\d{2,}){2,}", text))


_FINDERS: Final = (
    ("search_history", _search),
    ("forget_note", _forget),
    ("remember", _remember),
    ("recall", _recall),
    ("current_time", _time),
    ("calculate", _calculate),
)


def _named(clause: str, tools: Sequence[ToolShape]) -> Intent | None:
    """Any other tool, where the words of its name stand in the clause; what it needs is taken from the words too."""
    tool = _foreign(clause, tools)
    if tool is None:
        return None
    return Intent(tool.name, arguments_from(clause, tool.required, last_word=tool.name.rpartition("_")[2]))


def _foreign(clause: str, tools: Sequence[ToolShape]) -> ToolShape | None:
    known = {tool for tool, _ in _FINDERS}
    said = clause.replace("_", " ")
    for tool in tools:
        words = tool.name.split("_")
        if tool.name not in known and all(re.search(rf"\b{re.escape(word)}", said, re.IGNORECASE) for word in words):
            return tool
    return None


def _group(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group), "")
