"""What the demo model says next."""

import pytest

from dayfly.agents.demo.script import SLOW_STORY_SECONDS, Ask, Say, Wanted, respond
from dayfly.agents.demo.shapes import ToolShape
from dayfly.agents.sdk.protocol import denial_text
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, ToolOutcome, UserSaid

CALCULATE = (ToolShape("calculate"),)


def said(*messages: Message, tools: tuple[ToolShape, ...] = CALCULATE) -> str:
    reply = respond(messages, tools)
    assert isinstance(reply, Say)
    return reply.text


def asked(result: str, outcome: ToolOutcome = ToolOutcome.OK) -> tuple[Message, ...]:
    call = ToolCall("c", "calculate", '{"expression": "17 * 23"}')
    return (UserSaid("What is 17 * 23?"), AssistantSaid("", (call,)), ToolAnswered("c", "calculate", result, outcome))


def test_it_asks_a_tool() -> None:
    """A message that fits a tool leads to its call."""
    reply = respond((UserSaid("What is 17 * 23?"),), CALCULATE)
    assert reply == Ask((Wanted("call-1-1", "calculate", {"expression": "17 * 23"}),))


def test_the_answer_is_the_tools_own() -> None:
    """Another result, another answer."""
    assert said(*asked("391")) == "17 * 23 = 391"
    assert said(*asked("42")) == "17 * 23 = 42"


def test_a_tools_error_is_told() -> None:
    """The reason reaches the user."""
    assert "the moon" in said(*asked("the moon is full", ToolOutcome.ERROR))


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("", "I have not used calculate, because you did not allow it."),
        ("Not today.", "I have not used calculate, because you did not allow it: Not today."),
    ],
)
def test_a_denied_call_is_told(reason: str, answer: str) -> None:
    """Whose decision it was, and why, if that was said."""
    assert said(*asked(denial_text(reason), ToolOutcome.DENIED)) == answer


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("Removed 1 note:\n- a", "That is forgotten. Removed 1 note:\n- a"),
        ('No note holds "a": nothing was removed.', 'No note holds "a": nothing was removed.'),
    ],
)
def test_what_was_forgotten_is_told(result: str, answer: str) -> None:
    """In the words of the tool; nothing is said to be forgotten that was not there."""
    call = ToolCall("c", "forget_note", '{"text": "a"}')
    assert said(UserSaid("Forget."), AssistantSaid("", (call,)), ToolAnswered("c", "forget_note", result)) == answer


def test_it_knows_what_was_said_before() -> None:
    """The user's and its own last words come from the thread's history."""
    before = (UserSaid("I like tea."), AssistantSaid("Noted."))
    assert said(*before, UserSaid("What did I just ask?")) == 'You said: "I like tea."'
    assert said(*before, UserSaid("What did you just say?")) == 'I said: "Noted."'
    assert "first thing" in said(UserSaid("What did I just say?"))


@pytest.mark.parametrize("question", ["What did I say first?", "what was my first message?", "What did I first ask?"])
def test_it_knows_what_was_said_first(question: str) -> None:
    """The user's first words in the thread, not the last ones."""
    before = (
        UserSaid("I like tea."),
        AssistantSaid("Noted."),
        UserSaid("And milk."),
        AssistantSaid("Noted."),
    )
    assert said(*before, UserSaid(question)) == 'The first thing I can see of yours in this thread: "I like tea."'
    assert "first thing you said in this thread" in said(UserSaid(question))


def test_results_of_an_earlier_turn_are_not_answered_again() -> None:
    """Only what came behind the user's last words counts."""
    assert said(*asked("391"), AssistantSaid("17 * 23 = 391"), UserSaid("Thanks!")) == "You are welcome."


def test_the_long_story_takes_its_time() -> None:
    """Slowly means about ten seconds."""
    reply = respond((UserSaid("Tell me a long story, slowly"),), CALCULATE)
    assert isinstance(reply, Say)
    assert reply.seconds == SLOW_STORY_SECONDS
    assert len(reply.text) > 1000


def test_it_asks_back_when_nothing_fits() -> None:
    """It says what it can do with the tools it has, and only with those."""
    reply = said(UserSaid("Colourless green ideas"))
    assert reply.endswith("What would you like?")
    assert "17 * 23" in reply
    assert "Tokyo" not in reply
    assert "Forget the note" in said(UserSaid("Hello"), tools=(ToolShape("forget_note"),))


def test_without_tools_it_offers_a_story_alone() -> None:
    """A whole sentence, with tools or without."""
    assert said(UserSaid("Hello!"), tools=()) == "Hello! I can tell a long story, slowly."
    assert '("What is 17 * 23?"), and tell a long story, slowly.' in said(UserSaid("Hello!"))
