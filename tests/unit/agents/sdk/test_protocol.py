"""The protocol between an engine and an agent."""

import pytest

from dayfly.agents.sdk.protocol import denial_reason, denial_text


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("", "The user did not approve this tool call."),
        (" Too dear. ", "The user did not approve this tool call. Reason: Too dear."),
        ("half \ud83d", "The user did not approve this tool call. Reason: half \ufffd"),
    ],
)
def test_the_reason_is_told_and_found_again(reason: str, content: str) -> None:
    """If there is one, without blanks around it, as it can be stored."""
    assert denial_text(reason) == content
    assert denial_reason(content) == content.partition(" Reason: ")[2]
