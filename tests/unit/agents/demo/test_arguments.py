"""The arguments that the demo model takes from the words for a tool of whatever types."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, JsonValue

from dayfly.agents.demo.arguments import arguments_from, json_in
from dayfly.agents.demo.intents import Intent, intents_of
from dayfly.agents.demo.shapes import ToolShape


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Box:
    size: Size
    weight: float
    label: str | None = None


class Address(BaseModel):
    town: str
    since: str | None = None


class Parcel(BaseModel):
    to: Address
    boxes: list[Box]
    speed: Literal["slow", "fast"]
    parts: "list[Parcel] | None" = None


class Call(BaseModel):
    parcel: Parcel


SEND = ToolShape.of("send_parcel", Call.model_json_schema())


def test_nested_types_are_filled_with_what_the_words_have() -> None:
    """Models, dataclasses, enums and lists of them: the value is one that the type takes."""
    filled = arguments_from("Send a large box, 2.5 kg, fast, to Kiel", SEND.required, last_word="parcel")
    assert filled == {"parcel": {"to": {"town": "Kiel"}, "boxes": [{"size": "large", "weight": 2.5}], "speed": "fast"}}
    assert Call.model_validate(filled).parcel.boxes[0].weight == 2.5


def test_what_the_words_do_not_have_is_left_out() -> None:
    """No number and no date is made up; of fixed values the first is taken."""
    shape = ToolShape.of(
        "book",
        {
            "type": "object",
            "properties": {
                "day": {"type": "string", "format": "date"},
                "nights": {"type": "integer"},
                "room": {"enum": ["single", "double"]},
            },
            "required": ["day", "nights", "room"],
        },
    )
    assert arguments_from("Book a room", shape.required, last_word="book") == {"room": "single"}
    assert arguments_from("Book a double from 2026-05-01 for 3 nights", shape.required, last_word="book") == {
        "day": "2026-05-01",
        "nights": 3,
        "room": "double",
    }


def test_a_list_of_fixed_values_has_all_that_are_named() -> None:
    """In the order in which the type has them."""
    shape = ToolShape.of(
        "paint",
        {
            "type": "object",
            "properties": {"colours": {"type": "array", "items": {"enum": ["red", "green", "blue"]}}},
            "required": ["colours"],
        },
    )
    assert arguments_from("Paint it blue and red", shape.required, last_word="paint") == {"colours": ["red", "blue"]}


def test_a_type_that_holds_itself_is_read_once() -> None:
    """A required member of the type itself ends there, and not never."""
    node: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}},
        "required": ["name", "next"],
    }
    shape = ToolShape.of("link", {"$defs": {"Node": node}, **node})
    filled = arguments_from("link with A", shape.required, last_word="link")
    assert filled == {"name": "A", "next": {"name": "A", "next": "A"}}


def test_json_behind_the_tools_name_is_taken_to_the_letter() -> None:
    """Full stops and "and then what" in it do not break it up; the words in front name the tool."""
    given = 'send_parcel {"parcel": {"to": {"town": "A. B; and then what"}}}'
    assert intents_of(given, [SEND]) == (Intent("send_parcel", {"parcel": {"to": {"town": "A. B; and then what"}}}),)
    assert intents_of(given.replace("send_parcel", "Please send the parcel"), [SEND]) == intents_of(given, [SEND])
    assert intents_of('{"parcel": {}} send_parcel', []) == ()


@pytest.mark.parametrize("text", ["none", "{", "{'a': 1}", '{"a": NaN}', r'{"a": "\ud800"}', '{"a":' * 20_000])
def test_what_is_no_json_is_words(text: str) -> None:
    """Nothing is taken from it; the same with JSON in its place is."""
    assert json_in(f"send {text}") is None
    assert json_in('send {"a": 1} now') == ("send ", {"a": 1})
