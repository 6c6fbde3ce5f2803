"""What an agent or a model has chosen, made to fit an event."""

import json
import random
from typing import Any, cast

import pytest
from pydantic import JsonValue

from dayfly.errors import AgentFailed, ErrorCode, ModelFailed, RunFailed
from dayfly.log.event_payloads import (
    ANSWER_BYTES,
    MOST_COUNTED,
    NAME_BYTES,
    OUTPUT_BYTES,
    SENTENCE_BYTES,
    agent_completed,
    agent_error,
    agent_thinking,
    approval_requested,
    shown_name,
    tool_completed,
    tool_executing,
)
from dayfly.log.messages import ToolAnswered, ToolOutcome
from dayfly.protocol.events import AnyPayload, Event, Usage, decode_event
from dayfly.protocol.limits import EVENT_BYTES, TOOL_CALL_ID_CHARS
from dayfly.text import json_string_bytes

CHARACTERS = ["x", "é", "😀", '"', "\x01", "\u2028", "\x7f", "\\", "\udc80"]
"""Of one to six bytes in a JSON string, and one that has no place in any."""


def encoded(payload: AnyPayload) -> str:
    """The payload's event with every other field as long as it may be."""
    event = Event(
        type=payload.type,
        run_id="r" * 64,
        thread_id="t" * 64,
        seq=999_999_999_999,
        timestamp="2026-01-01T00:00:00.000Z",
        agent_name="a" * 64,
        payload=payload,
    )
    text = event.encode()
    assert decode_event(text).encode() == text
    return text


def just_fits(character: str, limit: int) -> str:
    """As many of the character as a JSON string of that many bytes holds."""
    return character * ((limit - 2) // (json_string_bytes(character) - 2))


@pytest.mark.parametrize("character", CHARACTERS[:-1])
def test_a_tools_name_on_both_sides_of_its_size(character: str) -> None:
    """What just fits is shown whole, one more and it is cut: alike in all events of the call."""
    fits = just_fits(character, NAME_BYTES)
    assert tool_executing(fits, "c", {}).tool_name == fits
    cut = tool_executing(fits + character, "c", {}).tool_name
    assert cut.endswith("…")
    assert fits.startswith(cut[:-1])
    assert json_string_bytes(cut) <= NAME_BYTES
    assert tool_completed(ToolAnswered("c", fits + character, ""), took_ms=0).tool_name == cut
    assert approval_requested(fits + character, "c", {}, expires_at="").tool_name == cut


@pytest.mark.parametrize("character", CHARACTERS[:-1])
def test_a_sentence_on_both_sides_of_its_size(character: str) -> None:
    """A reasoning, and an error's message."""
    fits = just_fits(character, SENTENCE_BYTES)
    assert agent_thinking(fits, step=1).reasoning == agent_error(ModelFailed(fits)).message == fits
    for text in (
        agent_thinking(fits + character, step=1).reasoning,
        agent_error(ModelFailed(fits + character)).message,
    ):
        assert text.endswith("…")
        assert json_string_bytes(text) <= SENTENCE_BYTES


@pytest.mark.parametrize("character", CHARACTERS[:-1])
def test_an_answer_on_both_sides_of_its_size(character: str) -> None:
    """Cut, it says so."""
    fits = just_fits(character, ANSWER_BYTES)
    whole, cut = (agent_completed(text, took_ms=0, usage=Usage()) for text in (fits, fits + character))
    assert (whole.result, whole.truncated) == (fits, False)
    assert cut.truncated
    assert json_string_bytes(cut.result) <= ANSWER_BYTES


@pytest.mark.parametrize("character", CHARACTERS[:-1])
def test_a_structured_answer_on_both_sides_of_its_size(character: str) -> None:
    """It is given whole, beside as much of its text as there is room for; one character more, and its text alone is
    given. Either way the event fits."""
    fits = just_fits(character, OUTPUT_BYTES - len('{"a":}'))
    for said, given in ((fits, {"a": fits}), (fits + character, None)):
        text = json.dumps({"a": said}, ensure_ascii=False)
        payload = agent_completed(text, took_ms=1, usage=Usage(), output={"a": said})
        assert payload.output == given
        assert payload.truncated == (payload.result != text)
        assert len(encoded(payload).encode()) <= EVENT_BYTES


def test_a_structured_answer_keeps_its_nulls_and_loses_half_characters() -> None:
    """What JSON can hold is in the event as it was given."""
    output: dict[str, JsonValue] = {"a": None, "b": [None, "\ud83d", 1.5, True], "\ud83d": {}}
    payload = agent_completed("{}", took_ms=1, usage=Usage(), output=output)
    event = json.loads(encoded(payload))
    assert event["payload"]["output"] == {"a": None, "b": [None, "�", 1.5, True], "�": {}}


def test_an_answer_in_words_alone_has_no_output() -> None:
    """The field is not there."""
    assert "output" not in json.loads(encoded(agent_completed("Hi.", took_ms=1, usage=Usage())))["payload"]


def test_an_id_on_both_sides_of_its_size() -> None:
    """Alike in all events of the call, so that they can be matched."""
    for call_id, kept in (("x" * TOOL_CALL_ID_CHARS, True), ("x" * (TOOL_CALL_ID_CHARS + 1), False)):
        shown = tool_executing("t", call_id, {}).tool_call_id
        assert (shown == call_id) is kept
        assert len(shown) <= TOOL_CALL_ID_CHARS
        assert tool_completed(ToolAnswered(call_id, "t", ""), took_ms=0).tool_call_id == shown
        assert approval_requested("t", call_id, {}, expires_at="").tool_call_id == shown


@pytest.mark.parametrize("count", [MOST_COUNTED, MOST_COUNTED + 1, 10**5000], ids=["most", "more", "huge"])
def test_counts_are_bounded(count: int) -> None:
    """Past 4,300 digits a number can be written, and never be read again."""
    done = agent_completed("x", took_ms=0, usage=Usage(requests=count, input_tokens=count, output_tokens=count))
    assert done.usage == Usage(requests=MOST_COUNTED, input_tokens=MOST_COUNTED, output_tokens=MOST_COUNTED)
    assert tool_completed(ToolAnswered("c", "t", ""), took_ms=count).execution_time_ms == MOST_COUNTED
    assert agent_thinking("x", step=count).step_number == MOST_COUNTED


def test_numbers_in_parameters_can_be_read_back() -> None:
    """One of hundreds of digits is shown; one of thousands is only hinted at."""
    shown = tool_executing("t", "c", {"n": [2**1024 - 1, 2**1024, 10**5000, -(10**5000)], "yes": True}).parameters
    assert shown == {"n": [2**1024 - 1, "…", "…", "…"], "yes": True}
    encoded(tool_executing("t", "c", {"n": 10**5000}))


class Odd(RunFailed):
    """A developer's own failure."""

    code = cast("ErrorCode", "out_of_coffee")
    retryable = cast("bool", "perhaps")


def test_a_failure_with_a_code_of_its_own_is_the_agents() -> None:
    """Clients know a closed list."""
    assert (agent_error(Odd("x")).code, agent_error(Odd("x")).retryable) == (ErrorCode.AGENT_FAILED, False)
    assert (agent_error(ModelFailed("x")).code, agent_error(ModelFailed("x")).retryable) == (
        ErrorCode.MODEL_FAILED,
        True,
    )
    assert agent_error(AgentFailed()).message == "The run failed."


class Unspeakable(RunFailed):
    """A failure that has no words."""

    def __str__(self) -> str:
        raise KeyError(self.args)


@pytest.mark.parametrize(
    "code", [["model_failed"], {}, None, 7, "Model_Failed", ErrorCode.MODEL_FAILED, "model_failed"]
)
def test_whatever_a_failure_has_for_a_code_one_of_the_list_is_shown(code: Any) -> None:
    """Also of what can not be hashed; one of the list is kept, by its text as well."""
    failure = RunFailed("x")
    vars(failure)["code"] = code
    shown = agent_error(failure).code
    assert shown is (ErrorCode.MODEL_FAILED if code == "model_failed" else ErrorCode.AGENT_FAILED)
    encoded(agent_error(failure))


def test_a_failure_that_can_not_be_told_is_told_by_a_fixed_sentence() -> None:
    """Its run ends all the same, with its code."""
    assert agent_error(Unspeakable("x")).message == agent_error(RunFailed("")).message == "The run failed."
    assert agent_error(RunFailed("Out of coffee.")).message == "Out of coffee."


def test_a_name_of_a_normal_size_is_shown_as_it_is() -> None:
    """The longest that providers take, and more."""
    assert shown_name("x" * 64) == "x" * 64


class Chooser:
    """Chooses as a hostile model or agent may."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def text(self) -> str:
        size = int(10 ** self._dice.uniform(0, 5.4))
        return "".join(self._dice.choices(CHARACTERS, k=min(3, len(CHARACTERS)))) * (size // 3 + 1)

    def count(self) -> int:
        return int(10 ** self._dice.uniform(0, 20))

    def value(self, levels: int = 4) -> Any:
        leaf = self._dice.choice((self.text, self.count, lambda: float("nan"), lambda: 1e300, lambda: None))
        if levels == 0:
            return leaf()
        some = range(self._dice.randrange(4))
        return self._dice.choice(
            (
                leaf,
                lambda: [self.value(levels - 1) for _ in some],
                lambda: {self.text()[: self._dice.choice((9, 9_000))]: self.value(levels - 1) for _ in some},
                lambda: {f"{n}": n for n in range(self._dice.choice((3, 3_000)))},
            )
        )()

    def payload(self) -> AnyPayload:
        name, call_id, parameters = self.text(), self.text(), {"value": self.value()}
        outcome = self._dice.choice((ToolOutcome.OK, ToolOutcome.ERROR, ToolOutcome.DENIED))
        content = self._dice.choice((self.text, lambda: json.dumps(self.value())))()
        usage = Usage(requests=self.count(), input_tokens=self.count(), output_tokens=self.count())
        return self._dice.choice(
            (
                lambda: agent_thinking(self.text(), step=self.count()),
                lambda: tool_executing(name, call_id, parameters),
                lambda: tool_completed(ToolAnswered(call_id, name, content, outcome), took_ms=self.count()),
                lambda: approval_requested(name, call_id, parameters, expires_at="2026-01-01T00:00:00.000Z"),
                lambda: agent_completed(self.text(), took_ms=self.count() % MOST_COUNTED, usage=usage),
                lambda: agent_error(AgentFailed(self.text())),
            )
        )()


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_chosen_fits_an_event_and_can_be_read_back(seed: int) -> None:
    """Names, ids, texts, keys, values and counts of every size and alphabet."""
    chooser = Chooser(seed)
    for _ in range(10):
        assert len(encoded(chooser.payload()).encode()) <= EVENT_BYTES
