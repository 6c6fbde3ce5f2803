"""Tells a model's thoughts from its answer where it writes both into one text, with tags such as `<think>` around the
thoughts, however the text is cut into pieces."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think")
_PAIRS: Final = (
    *((f"<{name}>", f"</{name}>") for name in _NAMES),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|start_thinking|>", "<|end_thinking|>"),
)
"""What models put around their thoughts; capitals do not count.

Sources: the model cards of DeepSeek R1, Qwen 3, EXAONE Deep, Seed-OSS, Magistral, Kimi-VL Thinking and Command A
Reasoning."""
_OPENING: Final = tuple(opening for opening, _ in _PAIRS)
_CLOSING: Final = tuple(closing for _, closing in _PAIRS)
_OPENED_BY: Final = {closing: opening for opening, closing in _PAIRS}
_EMPTY: Final = ("<think/>", "<think />")
"""A thought without content."""
_WITH_ATTRIBUTES: Final = re.compile(rf"<({'|'.join(map(re.escape, _NAMES))})\s[^<>]{{0,100}}(>?)")
"""An opening tag that says more than its name, as far as it has come."""
_CLOSES: Final = re.compile("|".join(map(re.escape, _CLOSING)), re.IGNORECASE)
_QUOTES: Final = frozenset("`'\"“‘„«")


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the thoughts."""

    text: str


@dataclass(frozen=True, slots=True)
class Mistaken:
    """All that was told as the answer until now, and this text with it, was a thought: its end has come, and its
    beginning stands in the prompt, where the templates of some models put it."""

    text: str


Piece = Said | Thought | Mistaken


class _At(Enum):
    START = auto()
    """Nothing of the answer, or nothing behind a thought, has come yet: only here may a thought begin."""
    THOUGHT = auto()
    ANSWER = auto()


class ThoughtSplitter:
    """Splits the text of one response.

    A thought stands at the response's start, or behind another thought; blank text around thoughts is dropped. A tag
    elsewhere is a part of the answer, which may be about tags, with one exception: a closing tag that nothing has
    opened, neither quoted nor in code, makes a thought of all that came before.
    """

    def __init__(self) -> None:
        self._at = _At.START
        self._held = ""
        self._said: list[str] = []
        self._behind_thought = False
        self._begins = False
        """Whether the present thought has no text yet."""
        self._thoughts = 0
        """How many of the thoughts so far have text."""

    @property
    def answer(self) -> str:
        """The answer until now."""
        return "".join(self._said)

    def feed(self, text: str) -> Sequence[Piece]:
        """Takes the next piece of the text and gives what can be told now; what may be a part of a tag is held back."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and self._step(pieces):
            pass
        return pieces

    def interrupt(self) -> Sequence[Piece]:
        """The provider tells a thought apart from the text: another may follow it within the text."""
        if self._at is _At.THOUGHT:
            return ()
        pieces = self.end()
        self._at, self._behind_thought = _At.START, True
        self._thoughts += 1
        return pieces

    def end(self) -> Sequence[Piece]:
        """Gives what was held back: nothing follows that could make a tag of it."""
        pieces: list[Piece] = []
        held, self._held = self._held, ""
        if self._at is _At.THOUGHT:
            self._think(held, pieces)
        elif held.strip() or not self._behind_thought:
            self._say(held, pieces)
        return pieces

    def _step(self, pieces: list[Piece]) -> bool:
        """Tells what it can; whether it came to something that changes how the rest is read."""
        match self._at:
            case _At.START:
                return self._start()
            case _At.THOUGHT:
                return self._think_on(pieces)
            case _At.ANSWER:
                return self._say_on(pieces)

    def _start(self) -> bool:
        text = self._held.lstrip()
        lower = text.lower()
        if tag := next((tag for tag in (*_EMPTY, *_CLOSING) if lower.startswith(tag)), ""):
            self._held, self._behind_thought = text[len(tag) :], True
            return True
        more = _WITH_ATTRIBUTES.match(lower)
        opening = more.group() if more and more.group(2) else ""
        if opening or (opening := next((tag for tag in _OPENING if lower.startswith(tag)), "")):
            self._held = text[len(opening) :]
            self._at, self._begins = _At.THOUGHT, True
            return True
        if any(tag.startswith(lower) for tag in (*_OPENING, *_CLOSING, *_EMPTY)) or (more and more.end() == len(lower)):
            return False
        self._at = _At.ANSWER
        if self._behind_thought and not self._said:
            self._held = text
        return True

    def _think_on(self, pieces: list[Piece]) -> bool:
        if self._begins:
            self._held = self._held.lstrip()
        if found := _CLOSES.search(self._held):
            self._think(self._held[: found.start()], pieces)
            self._held = self._held[found.end() :]
            self._at, self._behind_thought = _At.START, True
            return True
        self._think(self._told(), pieces)
        return False

    def _say_on(self, pieces: list[Piece]) -> bool:
        for found in _CLOSES.finditer(self._held):
            text = self._held[: found.start()]
            if _unopened(self.answer + text, found.group().lower()):
                pieces.append(Mistaken(text))
                self._thoughts += 1
                self._said.clear()
                self._held = self._held[found.end() :]
                self._at, self._behind_thought = _At.START, True
                return True
        self._say(self._told(), pieces)
        return False

    def _told(self) -> str:
        """What is held but for an end that may be the beginning of a closing tag."""
        keep = _begun(self._held)
        told, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return told

    def _think(self, text: str, pieces: list[Piece]) -> None:
        if not text:
            return
        if self._begins:
            text = f"\n\n{text}" if self._thoughts else text
            self._thoughts += 1
            self._begins = False
        pieces.append(Thought(text))

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if text:
            self._said.append(text)
            pieces.append(Said(text))


def _begun(text: str) -> int:
    """The length of the longest end of the text with which a closing tag begins."""
    tail = text[-max(map(len, _CLOSING)) :].lower()
    return next(
        (len(tail) - at for at in range(len(tail)) if any(tag.startswith(tail[at:]) for tag in _CLOSING)),
        0,
    )


def _unopened(before: str, closing: str) -> bool:
    """Whether a closing tag behind this text closes what nothing in it opens, rather than being spoken of."""
    if before[-1:] in _QUOTES or _OPENED_BY[closing] in before.lower():
        return False
    lines = before.split("\n")
    fences = sum(line.lstrip().startswith(("```", "~~~")) for line in lines[:-1])
    return fences % 2 == 0 and lines[-1].count("`") % 2 == 0
