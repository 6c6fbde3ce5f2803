"""Where a fresh engine goes on: pure."""

from dayfly.log.fold import Began, LogStep, Resumption, Said, Voided, resumption_of
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered, ToolCall, ToolOutcome

ASKED = AssistantSaid("Let me see.", (ToolCall("c-1", "look", "{}"), ToolCall("c-2", "look", "{}")))
FIRST = ToolAnswered("c-1", "look", "one")


def resumed(*steps: LogStep) -> Resumption:
    return resumption_of(iter(steps))


def test_a_run_without_a_journal_begins_anew() -> None:
    """Nothing is completed but the user's own message, whatever was said."""
    assert resumed() == Resumption()
    assert resumed(Said(3, "Well…")) == Resumption(completed=1)


def test_what_is_completed_is_what_the_last_entry_completes() -> None:
    """Text behind it belongs to a response that will be asked for again."""
    result = resumed(Said(3, "Let me"), JournalEntry(4, ASKED), Began(5, "c-1"), JournalEntry(6, FIRST), Said(7, "So"))
    assert result.completed == 6
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
    assert (result.requests, result.input_tokens, result.output_tokens) == (2, 30, 9)
