"""Puts the tool calls of a streamed chat completion together, whatever a server makes of their ids, names and indices.

OpenAI sends a call's id and name once, with its first piece, and tells the pieces by `index`. Other servers repeat the
name, or the id, with every piece, give every call the index 0, give no ids or empty ones, send the arguments as an
object, or all of the call again in the end.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

Object = dict[str, JsonValue]


@dataclass(slots=True, eq=False)
class _Call:
    place: int
    index: JsonValue
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    told: bool = False
    more: Object = field(default_factory=dict)
    """What is the server's own, such as a signature, which it may want back."""

    @property
    def arguments(self) -> str:
        """Their text, as it is meant."""
        text = "".join(self.pieces)
        if not text.strip() or text.strip() == "null":
            return ""
        if _object(text) is not None:
            return text
        # All of them again behind the pieces, or with every piece.
        again = next((piece for piece in reversed(self.pieces) if piece.strip()), "")
        if _object(again) is not None:
            return again
        # As a JSON text within a JSON text.
        inner = _loaded(text)
        return inner if isinstance(inner, str) and _object(inner) is not None else text

    @property
    def tool(self) -> str:
        """The name as it is meant: without blanks around it, and without the tokens of a template that some servers
        leave behind it (`look<|channel|>commentary`, of gpt-oss)."""
        return self.name.partition("<|")[0].strip()

    def rename(self, name: str) -> None:
        """Takes a name that came with a further piece: the same again, all that is known by now, or the next part."""
        if name.startswith(self.name):
            self.name = name
        elif not self.arguments:
            self.name += name


class ChatToolCalls:
    """The calls of one response."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def nameless(self) -> bool:
        """Whether there is a call that nobody can carry out."""
        return any(not call.tool for call in self._calls)

    def take(self, item: Object) -> Iterator[JsonValue]:
        """Takes a piece of a call; gives a `tool_calls` item without arguments, to show that it is being written."""
        function = item.get("function")
        of_call: Object = function if isinstance(function, dict) else item
        call_id, name = _text(item.get("id")), _text(of_call.get("name"))
        arguments = _piece(of_call.get("arguments", of_call.get("parameters")))
        call = self._find(item.get("index"), call_id, name, arguments)
        call.call_id = call.call_id or call_id
        if name:
            call.rename(name)
        if arguments:
            call.pieces.append(arguments)
        known = ("index", "id", "type", "function", "name", "arguments", "parameters")
        call.more |= {key: value for key, value in item.items() if key not in known and value is not None}
        if call.told:
            yield {"index": call.place, "function": {"arguments": ""}}
        elif call.tool and call.pieces:  # the name is whole by now
            call.told = True
            yield self._first(call)

    def whole(self) -> Iterator[JsonValue]:
        """The `tool_calls` items with all that was held back."""
        for call in self._calls:
            item = self._first(call)
            named: Object = {} if call.told else {"name": call.tool}
            yield {**item, **call.more, "function": {**named, "arguments": call.arguments}}

    def _first(self, call: _Call) -> Object:
        others = {other.call_id for other in self._calls[: call.place]}
        # Two calls with one id: the second is given one by who reads this.
        ids: Object = {"id": call.call_id} if call.call_id and call.call_id not in others else {}
        return {
            "index": call.place,
            **ids,
            "type": "function",
            "function": {"name": call.tool, "arguments": ""},
        }

    def _find(self, index: JsonValue, call_id: str, name: str, arguments: str) -> _Call:
        """The call that this is a piece of; a new one if it is of none."""
        same = next((call for call in reversed(self._calls) if call_id and call.call_id == call_id), None)
        if same is not None:
            goes_on = not _begins_another(same, index, name, arguments)
        else:
            calls = self._calls if index is None else [call for call in self._calls if call.index == index]
            # An index that nothing began at says as little as none.
            same = next(reversed(calls), None) or (None if name else next(reversed(self._calls), None))
            goes_on = same is not None and _goes_on(same, index, call_id, name, arguments)
        if same is None or not goes_on:
            same = _Call(len(self._calls), index)
            self._calls.append(same)
        return same


def _begins_another(call: _Call, index: JsonValue, name: str, arguments: str) -> bool:
    """Whether a piece with this call's id is another call's all the same: some servers give all of them one id."""
    if not name:
        return False
    whole = _object(call.arguments) is not None
    if index is not None and call.index is not None and index != call.index:
        return whole or name != call.name
    return whole and _object(arguments) is not None and arguments.strip() != call.arguments.strip()


def _goes_on(call: _Call, index: JsonValue, call_id: str, name: str, arguments: str) -> bool:
    """Whether a piece without this call's id goes on with it: there are no ids, or it came late, or each piece has a
    new one."""
    if not name or not call.name:
        return True
    if call_id and call.call_id:
        return name == call.name and bool(call.arguments) and _object(call.arguments) is None
    if name == call.name:
        again = arguments.strip() == call.arguments.strip() and index is not None
        return _object(call.arguments) is None or not arguments.strip() or again
    # Another name is another call, or, as long as nothing else has come, the next part of the name.
    return not call.arguments and not arguments


def _text(value: JsonValue) -> str:
    """A text; an id that is a number as one."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _piece(value: JsonValue) -> str:
    """A piece of arguments as text, also where it came as an object."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _loaded(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _object(text: str) -> Object | None:
    value = _loaded(text)
    return value if isinstance(value, dict) else None
