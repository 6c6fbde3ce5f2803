"""What is folded from a run's journal: its messages for history, and where a fresh engine goes on."""

from dayfly.log.fold import UNANSWERED, Began, LogStep, Resumption, Said, Voided, fold, resumption_of
from dayfly.log.journal import JournalEntry, pack_journal, unpack_journal
from dayfly.log.messages import (
    AssistantSaid,
    Decision,
    Message,
    TokenCount,
    ToolAnswered,
    ToolCall,
    ToolOutcome,
    UserSaid,
)

ASKED = AssistantSaid("Let me see.", (ToolCall("c-1", "look", "{}"), ToolCall("c-2", "look", "{}")))
FIRST = ToolAnswered("c-1", "look", "one")
SECOND = ToolAnswered("c-2", "look", "two")
LOST = ToolAnswered("c-2", "look", UNANSWERED, ToolOutcome.UNANSWERED)


def folded(*steps: LogStep) -> tuple[Message, ...]:
    messages = fold("Hi", steps)
    assert messages[0] == UserSaid("Hi")
    return messages[1:]


def test_a_run_without_a_step_is_its_question() -> None:
    """A run that never began leaves the user's message alone."""
    assert folded() == ()


def test_a_response_stands_for_its_deltas() -> None:
    """Streamed text that a whole response completes is not told twice."""
    assert folded(Said(3, "a"), Said(4, "b"), JournalEntry(4, AssistantSaid("ab"))) == (AssistantSaid("ab"),)


def test_text_that_was_cut_off_is_kept() -> None:
    """What was said after the last whole response, by a run that was cancelled or failed, is kept as said."""
    steps = (Said(3, "a"), JournalEntry(3, AssistantSaid("a")), Said(4, "b"), Said(5, "c"))
    assert folded(*steps) == (AssistantSaid("a"), AssistantSaid("bc"))


def test_text_that_is_still_said_when_a_tool_answers_is_kept() -> None:
    """A tool's result completes only what stands before it in the log."""
    asked = AssistantSaid("", (ToolCall("c-1", "look", "{}"),))
    assert folded(JournalEntry(2, asked), JournalEntry(3, FIRST), Said(4, "b")) == (asked, FIRST, AssistantSaid("b"))


def test_void_text_is_left_out() -> None:
    """Deltas that a later attempt made void do not come back; those before are kept."""
    steps = (Said(3, "a"), Said(4, "b"), Voided(3), Said(6, "c"))
    assert folded(*steps) == (AssistantSaid("ac"),)


def test_answered_calls_need_nothing() -> None:
    """Where each call has its result, the messages stand as they came."""
    steps = (JournalEntry(3, ASKED), JournalEntry(5, SECOND), JournalEntry(6, FIRST))
    assert folded(*steps) == (ASKED, SECOND, FIRST)


def test_an_unanswered_call_gets_a_result() -> None:
    """A run that ended before a tool did has a synthetic result for it, behind those that came."""
    assert folded(JournalEntry(3, ASKED), JournalEntry(4, FIRST)) == (ASKED, FIRST, LOST)
    said = folded(JournalEntry(3, ASKED), JournalEntry(4, FIRST), Said(5, "So"))
    assert said == (ASKED, FIRST, LOST, AssistantSaid("So"))


def test_beginnings_and_decisions_are_no_messages() -> None:
    """That a tool began, and that the user allowed it, is told to no model: its result is."""
    steps = (JournalEntry(3, ASKED), JournalEntry(4, Decision("c-1", approved=True)), Began(6, "c-1"))
    results = (JournalEntry(7, FIRST), JournalEntry(8, SECOND))
    assert folded(*steps, *results) == (ASKED, FIRST, SECOND)


def test_what_attempts_said_in_vain_is_left_out() -> None:
    """Over several attempts, the text that each of them left half said is void, and what they completed stands."""
    steps = (
        Said(4, "Half "),
        Voided(1),
        Said(6, "a res"),
        Said(7, "ponse"),
        JournalEntry(7, AssistantSaid("a response")),
        Said(8, "lost"),
        Voided(7),
        Said(10, "The end."),
    )
    assert folded(*steps) == (AssistantSaid("a response"), AssistantSaid("The end."))


def test_what_is_packed_is_unpacked() -> None:
    """A journal reads back as it was written; no journal is no bytes."""
    entries = (JournalEntry(3, ASKED), JournalEntry(4, FIRST))
    assert unpack_journal(pack_journal(entries)) == entries
    assert pack_journal(()) == b""
    assert unpack_journal(b"") == ()


def resumed(*steps: LogStep) -> Resumption:
    return resumption_of(iter(steps))


def test_a_run_without_a_journal_begins_anew() -> None:
    """Nothing is completed but the user's own message, whatever was said."""
    assert resumed() == Resumption()
    assert resumed(Said(3, "Well…")) == Resumption(completed_seq=1)


def test_what_is_completed_is_what_the_last_entry_completes() -> None:
    """Text behind it belongs to a response that will be asked for again."""
    result = resumed(Said(3, "Let me"), JournalEntry(4, ASKED), Began(5, "c-1"), JournalEntry(6, FIRST), Said(7, "So"))
    assert result.completed_seq == 6
    assert result.messages == (ASKED, FIRST)


def test_a_call_without_a_result_is_in_doubt_if_it_was_begun() -> None:
    """One that ended is not, nor one that never began; one that began twice is one."""
    steps = (JournalEntry(3, ASKED), Began(4, "c-1"), JournalEntry(5, FIRST), Began(6, "c-2"), Began(9, "c-2"))
    assert resumed(*steps).in_doubt == {"c-2"}
    assert resumed(*steps[:3]).in_doubt == frozenset()


def test_decisions_wait_for_their_calls() -> None:
    """They are the user's on calls without a result; they are no messages to the model."""
    yes, no = Decision("c-1", approved=True), Decision("c-2", approved=False, reason="No.")
    asked = (JournalEntry(3, ASKED), JournalEntry(5, yes), JournalEntry(5, no))
    assert set(resumed(*asked).decisions) == {yes, no}
    assert resumed(*asked).messages == (ASKED,)
    denied = ToolAnswered("c-2", "look", "Denied.", ToolOutcome.DENIED)
    assert resumed(*asked, JournalEntry(8, denied)).decisions == (yes,)


def test_of_two_decisions_on_one_call_the_first_counts() -> None:
    """It is the one that was told to the user."""
    first, second = Decision("c-1", approved=False), Decision("c-1", approved=True)
    assert resumed(JournalEntry(3, ASKED), JournalEntry(5, first), JournalEntry(5, second)).decisions == (first,)


def test_tokens_are_summed_over_all_responses() -> None:
    """By whatever attempt they were asked for; results and decisions count nothing."""
    result = resumed(
        JournalEntry(3, ASKED, 10, 4),
        JournalEntry(4, FIRST),
        JournalEntry(5, Decision("c-2", approved=True)),
        Voided(4),
        JournalEntry(8, AssistantSaid("Done."), 20, 5),
    )
    assert (result.requests, result.tokens) == (2, TokenCount(30, 9))
