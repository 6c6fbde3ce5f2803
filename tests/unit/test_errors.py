"""The one error tree."""

import inspect

from dayfly import errors
from dayfly.errors import DayflyError, ErrorCode


def tree() -> list[type[DayflyError]]:
    return [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, DayflyError)]


def test_the_codes_are_a_closed_list() -> None:
    """What a client may be told is this list; a new code is a change of the protocol."""
    assert {code.value for code in ErrorCode} == {
        "invalid_json",
        "invalid_message",
        "unknown_action",
        "not_supported",
        "text_too_long",
        "thread_not_found",
        "run_not_found",
        "id_reused",
        "busy",
        "queue_full",
        "quota_exceeded",
        "cancelled",
        "approval_closed",
        "unknown_agent",
        "agent_failed",
        "model_failed",
        "engine_lost",
        "engine_timeout",
        "could_not_start",
        "step_too_long",
        "run_too_long",
        "tool_outcome_unknown",
        "unavailable",
        "internal",
    }


def test_every_error_has_a_code_of_the_list() -> None:
    """Each class says what a client is told, and whether trying again may help; every code is some class's."""
    assert all(isinstance(each.code, ErrorCode) and isinstance(each.retryable, bool) for each in tree())
    assert {each.code for each in tree()} == set(ErrorCode)
