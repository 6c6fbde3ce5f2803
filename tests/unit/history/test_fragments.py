"""The stored form of messages."""

from dayfly.history.chunks import Fragment, fragment_to_json, messages_in, pack_fragments, unpack_fragments
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome, UserSaid

CALLS = (ToolCall("c-1", "look", '{"at":"é"}'), ToolCall("c-2", "look", "{}"))
FRAGMENTS = (
    Fragment(UserSaid("é😀")),
    Fragment(UserSaid("\n?"), continued=True),
    Fragment(AssistantSaid("Let ")),
    Fragment(AssistantSaid("me see."), continued=True),
    Fragment(AssistantSaid("", CALLS), continued=True),
    Fragment(ToolAnswered("c-1", "look", "one")),
    Fragment(ToolAnswered("c-2", "look", "two", ToolOutcome.ERROR)),
    Fragment(AssistantSaid("Done.")),
)


def test_what_is_packed_is_unpacked() -> None:
    """Fragments read back as they were written."""
    packed = pack_fragments([fragment_to_json(fragment) for fragment in FRAGMENTS])
    assert unpack_fragments(packed) == FRAGMENTS
    assert unpack_fragments(pack_fragments([])) == ()


def test_messages_are_put_together() -> None:
    """Texts and calls of one message are joined in order; messages beside it stay apart."""
    assert messages_in(FRAGMENTS) == (
        UserSaid("é😀\n?"),
        AssistantSaid("Let me see.", CALLS),
        ToolAnswered("c-1", "look", "one"),
        ToolAnswered("c-2", "look", "two", ToolOutcome.ERROR),
        AssistantSaid("Done."),
    )
    assert messages_in(()) == ()


def test_what_a_reader_sees_is_what_was_said() -> None:
    """Calls and results are for the model alone."""
    assert [fragment.text for fragment in FRAGMENTS] == ["é😀", "\n?", "Let ", "me see.", "", "", "", "Done."]
