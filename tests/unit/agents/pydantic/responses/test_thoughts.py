"""Thoughts that a model writes into its text, and what remains as the answer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.agents.pydantic.responses.thoughts import Mistaken, Said, Thought, ThoughtSplitter

WRITTEN = [
    # An answer without thoughts, whatever it is about.
    ("Hello", "", "Hello"),
    ("", "", ""),
    ("\n\nHello ", "", "\n\nHello "),
    ("a < b </ c", "", "a < b </ c"),
    ("<thi", "", "<thi"),
    ("<b>Hello</b>", "", "<b>Hello</b>"),
    ("Write <think> before it.", "", "Write <think> before it."),
    ("Use <think>like this</think>, please.", "", "Use <think>like this</think>, please."),
    ("It ends with `</think>` then.", "", "It ends with `</think>` then."),
    ("```xml\n<a></think>\n```\nThat.", "", "```xml\n<a></think>\n```\nThat."),
    ('The tag "</think>" ends it.', "", 'The tag "</think>" ends it.'),
    ("```\n<think>no thought</think>\n```", "", "```\n<think>no thought</think>\n```"),
    # A thought before the answer.
    ("<think>plan</think>Hello", "plan", "Hello"),
    ("<think>\nplan\n</think>\n\nHello\n", "plan\n", "Hello\n"),
    ("\n <think>plan</think> Hello", "plan", "Hello"),
    ("<thinking>plan</thinking>Hello", "plan", "Hello"),
    ("<reasoning>plan</reasoning>Hello", "plan", "Hello"),
    ("<thought>plan</thought>Hello", "plan", "Hello"),
    ("<THINK>plan</Think>Hello", "plan", "Hello"),
    ("<seed:think>plan</seed:think>Hello", "plan", "Hello"),
    ('<think time="3">plan</think>Hello', "plan", "Hello"),
    ("<think >plan</think>Hello", "plan", "Hello"),
    ("<think />Hello", "", "Hello"),
    ("<think time=<b>", "", "<think time=<b>"),
    ("<thinker>plan</thinker>Hello", "", "<thinker>plan</thinker>Hello"),
    ("[THINK]plan[/THINK]Hello", "plan", "Hello"),
    ("◁think▷plan◁/think▷Hello", "plan", "Hello"),
    ("<|START_THINKING|>plan<|END_THINKING|>Hello", "plan", "Hello"),
    ("<think>if a < b </th then</think>Hello", "if a < b </th then", "Hello"),
    ("<think>plan</thinking>Hello", "plan", "Hello"),
    ("<think>plan</think>Hello <think>no thought</think>", "plan", "Hello <think>no thought</think>"),
    # None, an empty one, several, or one without an end or a beginning.
    ("<think></think>Hello", "", "Hello"),
    ("<think>\n\n</think>\n\nHello", "", "Hello"),
    ("<think/>Hello", "", "Hello"),
    ("</think>Hello", "", "Hello"),
    ("<think>one</think>\n<think>two</think>Hello", "one\n\ntwo", "Hello"),
    ("<think></think><reasoning>two</reasoning>Hello", "two", "Hello"),
    ("<think>plan", "plan", ""),
    ("<think>plan</thi", "plan</thi", ""),
    ("<think>plan</think>", "plan", ""),
    ("<think>plan</think>\n\n", "plan", ""),
    ("plan</think>Hello", "plan", "Hello"),
    ("Let me see.\n</think>\n\nHello", "Let me see.\n", "Hello"),
    ("one</think><think>two</think>Hello", "one\n\ntwo", "Hello"),
    ("<think>one<think>two</think>three</think>Hello", "one<think>two\n\nthree", "Hello"),
]


def split(*pieces: str) -> tuple[str, str]:
    """The thoughts and the answer, as a reader of the pieces has them in the end."""
    splitter = ThoughtSplitter()
    thoughts = answer = ""
    for piece in (*(each for text in pieces for each in splitter.feed(text)), *splitter.end()):
        match piece:
            case Said(text):
                answer += text
            case Thought(text):
                thoughts += text
            case Mistaken(text):
                parted = "\n\n" if thoughts else ""
                thoughts, answer = f"{thoughts}{parted}{answer}{text}", ""
    assert splitter.answer == answer
    return thoughts, answer


@pytest.mark.parametrize(("text", "thoughts", "answer"), WRITTEN)
def test_thoughts_are_told_apart(text: str, thoughts: str, answer: str) -> None:
    """At the beginning and behind one another; what else looks like them is a part of the answer."""
    assert split(text) == (thoughts, answer)


@pytest.mark.parametrize(("text", "thoughts", "answer"), WRITTEN)
def test_every_single_character_may_come_alone(text: str, thoughts: str, answer: str) -> None:
    """However the tags are cut."""
    assert split(*text) == (thoughts, answer)


TEXTS = st.lists(
    st.sampled_from(
        ("<think>", "</think>", "<thinking>", "</reasoning>", "<thi", "nk>", "</", ">", " ", "\n", "a", "`", "```", "<")
    ),
    max_size=12,
).map("".join)


@given(text=TEXTS, cuts=st.sets(st.integers(0, 80)))
def test_how_a_text_is_cut_makes_no_difference(text: str, cuts: set[int]) -> None:
    """The same thoughts and the same answer come of it, and nothing of a text without tags is lost."""
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(text)), len(text)]
    pieces = [text[one:other] for one, other in itertools.pairwise(places)]
    assert split(*pieces) == split(text)


@given(text=st.text(alphabet="ab<>/ \n`", max_size=30))
def test_a_text_without_tags_is_the_answer(text: str) -> None:
    """Character for character."""
    assert split(text) == ("", text)


def test_text_is_told_as_it_comes() -> None:
    """Nothing waits for the end but what may be the beginning of a tag."""
    splitter = ThoughtSplitter()
    assert [list(splitter.feed(text)) for text in ("<think>", "a ", "b</", "think>", "\n", "c ", "<", "d")] == [
        [],
        [Thought("a ")],
        [Thought("b")],
        [],
        [],
        [Said("c ")],
        [],
        [Said("<d")],
    ]


def test_a_thought_may_follow_one_that_the_provider_tells_apart() -> None:
    """Also within the text, and blank text behind it is no part of the answer."""
    splitter = ThoughtSplitter()
    assert list(splitter.feed("One.")) == [Said("One.")]
    assert list(splitter.interrupt()) == []
    assert list(splitter.feed("<think>plan</think> Two.")) == [Thought("\n\nplan"), Said(" Two.")]
    begun = ThoughtSplitter()
    begun.interrupt()
    assert list(begun.feed("\n\nOne.")) == [Said("One.")]
