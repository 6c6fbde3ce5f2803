"""What the demo model makes of the user's words."""

import pytest
from pydantic import JsonValue

from dayfly.agents.demo.intents import intents_of
from dayfly.agents.demo.shapes import Parameter, ToolShape

TOOLS = tuple(
    ToolShape(name) for name in ("calculate", "current_time", "remember", "recall", "search_history", "forget_note")
)
Call = tuple[str, dict[str, JsonValue]]


def calls(text: str, *tools: ToolShape) -> list[Call]:
    return [(intent.tool, intent.arguments) for intent in intents_of(text, tools or TOOLS)]


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("What is 17 * 23?", "17 * 23"),
        ("what's 17 times 23", "17 * 23"),
        ("17*23", "17*23"),
        ("Calculate (2 + 3) ^ 4 / 7, please.", "(2 + 3) ^ 4 / 7"),
        ("How much is 100 divided by 8?", "100 / 8"),
        ("What is 15% of 80?", "15 / 100 * 80"),
        ("the square root of 2 plus 1", "sqrt(2) + 1"),
        ("What is 1,000 + 2.5?", "1,000 + 2.5"),
        ("3 x 4", "3 * 4"),
        ("max(1, 2)", "max(1, 2)"),
        ("What is -5 squared?", "-5 ^2"),
        ("What is 2**10?", "2**10"),
        ("calculate 9**9**9**9", "9**9**9**9"),
        ("calculate -7 // 2", "-7 // 2"),
    ],
)
def test_arithmetic(text: str, expression: str) -> None:
    """Signs and words are both understood."""
    assert calls(text) == [("calculate", {"expression": expression})]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("What time is it in Tokyo?", {"zone": "Tokyo"}),
        ("what's the time in New York right now?", {"zone": "New York"}),
        ("current time for America/Argentina/Buenos_Aires", {"zone": "America/Argentina/Buenos_Aires"}),
        ("What time is it?", {}),
        ("What time is it at the moment?", {}),
        ("What time is it In Tokyo, please?", {"zone": "Tokyo"}),
        ("What time is it in Zürich now?", {"zone": "Zürich"}),
        ("What time is it in ../../etc/passwd?", {"zone": "../../etc/passwd"}),
        ("What time is it in 12345?", {"zone": "12345"}),
    ],
)
def test_time(text: str, arguments: dict[str, JsonValue]) -> None:
    """With a place or without; what is no place is the tool's to refuse."""
    assert calls(text) == [("current_time", arguments)]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Remember that my code is X", ("remember", {"text": "my code is X"})),
        ("please remember my code is 7 * 6.", ("remember", {"text": "my code is 7 * 6"})),
        ("what do you recall about me?", ("recall", {})),
        ("What do you remember?", ("recall", {})),
        ("what do you know about my code", ("recall", {"about": "code"})),
        ("What is my code?", ("recall", {"about": "code"})),
        ("do you remember my code", ("recall", {"about": "code"})),
        ("show my notes", ("recall", {})),
        ("Forget the note about X17", ("forget_note", {"text": "X17"})),
        ("forget my note that my code is 1234.", ("forget_note", {"text": "my code is 1234"})),
        ("please delete the note about my code", ("forget_note", {"text": "my code"})),
        ("Can you remove all of my notes about Kiel?", ("forget_note", {"text": "Kiel"})),
        ('delete the note "tea"', ("forget_note", {"text": "tea"})),
        ("Delete the note that says I like tea", ("forget_note", {"text": "I like tea"})),
        ("forget that I live in Kiel", ("forget_note", {"text": "I live in Kiel"})),
        ("Remember to delete the note about X17", ("remember", {"text": "to delete the note about X17"})),
        ("search my history for Tokyo", ("search_history", {"query": "Tokyo"})),
        ("Search our chats about the lighthouse.", ("search_history", {"query": "the lighthouse"})),
        ("What did I say about Kiel?", ("search_history", {"query": "Kiel"})),
        ("did we talk about ships?", ("search_history", {"query": "ships"})),
    ],
)
def test_notes_and_history(text: str, call: Call) -> None:
    """What to keep, to tell and to look for."""
    assert calls(text) == [call]


def test_the_note_to_forget_may_come_second() -> None:
    """Behind another wish, in the same sentence."""
    assert calls("What is 17 * 23 and forget the note about X17") == [
        ("calculate", {"expression": "17 * 23"}),
        ("forget_note", {"text": "X17"}),
    ]


def test_several_in_one_message() -> None:
    """Each clause gives one call, in order, the same one only once."""
    assert calls("What is 17 * 23 and what time is it in Tokyo? Remember that I asked. What is 17 * 23?") == [
        ("calculate", {"expression": "17 * 23"}),
        ("current_time", {"zone": "Tokyo"}),
        ("remember", {"text": "I asked"}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Tell me a long story, slowly",
        "Today is 2026-01-02",
        "call 0431-555-123",
        "I am 42",
        "",
        "a-b",
        "what did I just ask?",
        "Don't forget the milk",
        "Delete my notes",
        "forget it",
    ],
)
def test_nothing_to_do(text: str) -> None:
    """No tool is called where none was asked for."""
    assert calls(text) == []


def test_only_tools_that_are_there() -> None:
    """An agent without the calculator is not asked to calculate."""
    assert calls("What is 17 * 23?", ToolShape("recall")) == []


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("Roll dice with 3 and 6", {"count": 3, "sides": 6}),
        ("please roll the dice", {}),
    ],
)
def test_a_developers_own_tool(text: str, arguments: dict[str, JsonValue]) -> None:
    """A tool nobody foresaw is called by the words of its name, with what the words give for its parameters."""
    dice = ToolShape("roll_dice", (Parameter("count", {"type": "integer"}), Parameter("sides", {"type": "integer"})))
    assert calls(text, dice) == [("roll_dice", arguments)]


def test_a_developers_own_tool_with_text() -> None:
    """Text comes from behind a preposition, or from quotes."""
    weather = ToolShape("weather", (Parameter("city", {"type": "string"}),))
    assert calls("What is the weather in Kiel?", weather) == [("weather", {"city": "Kiel"})]
    assert calls('weather "Bad Segeberg" please', weather) == [("weather", {"city": "Bad Segeberg"})]
