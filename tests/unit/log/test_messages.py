"""What is said in a run, as it is kept."""

import pytest

from dayfly.log.messages import Decision, decision_to_json, decisions_in


def test_decisions_are_read_back() -> None:
    """Each as it was given, in the order of the answers."""
    given = (Decision("c-1", approved=True), Decision("c-2", approved=False, reason="Grüße, no"))
    assert decisions_in(tuple(map(decision_to_json, given))) == given
    with pytest.raises(ValueError, match="call_id"):
        decisions_in(('{"approved": true}',))
