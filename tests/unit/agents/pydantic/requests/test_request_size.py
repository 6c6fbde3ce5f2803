"""A request is no longer than its model holds."""

import json
import random

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.tools import ToolDefinition

from dayfly.agents.pydantic.requests.conversation import to_model_messages
from dayfly.agents.pydantic.requests.messages import LEFT_OUT, request_messages
from dayfly.agents.pydantic.requests.model import ANSWER_TOKENS, RequestModel
from dayfly.agents.pydantic.requests.rules import DEFAULT_WINDOW, RULES
from dayfly.agents.pydantic.requests.size import BYTES_PER_TOKEN
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, UserSaid
from tests.unit.agents.support import assert_whole, responses

MEGABYTE = 1_000_000


def called(call_id: str, content: str, arguments: str = "{}") -> tuple[Message, ...]:
    return AssistantSaid("", (ToolCall(call_id, "read", arguments),)), ToolAnswered(call_id, "read", content)


def sent(messages: tuple[Message, ...], room: int, *, shrink: int = 0) -> list[ModelMessage]:
    return request_messages(
        to_model_messages(messages), RULES["bedrock"], provider="x", tools=True, room=room, shrink=shrink
    )


def size(messages: list[ModelMessage]) -> int:
    return sum(
        len(str(getattr(part, "content", "") or getattr(part, "args", ""))) for one in messages for part in one.parts
    )


def results(messages: list[ModelMessage]) -> list[str]:
    return [str(part.content) for one in messages for part in one.parts if isinstance(part, ToolReturnPart)]


def words(messages: list[ModelMessage]) -> list[str]:
    return [str(part.content) for one in messages for part in one.parts if isinstance(part, UserPromptPart)]


def test_the_oldest_turns_are_left_out_first() -> None:
    """Whole turns; what fits is sent as it is."""
    turns = [(UserSaid(f"{number} {'x' * 1000}"), AssistantSaid("y" * 1000)) for number in range(10)]
    messages = (*(one for turn in turns for one in turn), UserSaid("Now."))
    assert len(words(sent(messages, 100_000))) == 11
    kept = words(sent(messages, 2100 * 3 // BYTES_PER_TOKEN))
    assert [one[0] for one in kept] == ["8", "9", "N"] or [one[0] for one in kept] == ["7", "8", "9", "N"]


def test_a_long_result_of_the_newest_turn_keeps_its_head_and_tail() -> None:
    """With a note of what is left out between them; what is short beside it stays whole."""
    content = f"HEAD{'x' * MEGABYTE}TAIL"
    messages = (UserSaid("Read."), *called("a", content), *called("b", "short"))
    long, short = results(sent(messages, 100_000))
    assert short == "short"
    assert long.startswith("HEAD")
    assert long.endswith("TAIL")
    assert "bytes left out" in long
    assert 0.9 * 100_000 * BYTES_PER_TOKEN < len(long) <= 100_000 * BYTES_PER_TOKEN


def test_a_result_that_just_fits_is_whole() -> None:
    """One byte more, and it is cut."""
    for extra, whole in ((0, True), (1, False)):
        messages = (UserSaid("Read."), *called("a", "x" * (300_000 - 3 * 40 - len("Read.read{}") + extra)))
        assert ("left out" not in results(sent(messages, 100_000))[0]) == whole


def test_a_long_turn_before_makes_room_for_the_newest() -> None:
    """It is cut as that one would be, as it is what the newest words are about."""
    messages = (UserSaid("Read."), *called("a", "x" * MEGABYTE), AssistantSaid("Done."), UserSaid("And now?"))
    kept = sent(messages, 100_000)
    assert words(kept) == ["Read.", "And now?"]
    (result,) = results(kept)
    assert "bytes left out" in result
    assert size(kept) <= 100_000 * BYTES_PER_TOKEN
    assert_whole(kept)


def test_a_long_turn_before_that_one_is_left_out() -> None:
    """As a whole; no result is left without its call."""
    long = (UserSaid("Read."), *called("a", "x" * MEGABYTE), AssistantSaid("Done."))
    kept = sent((*long, UserSaid("Thanks."), AssistantSaid("Welcome."), UserSaid("And now?")), 100_000)
    assert words(kept) == ["Thanks.", "And now?"]
    assert results(kept) == []


def test_the_newest_turn_goes_before_the_one_before_it() -> None:
    """Where it takes all the room, that one is left out."""
    messages = (UserSaid("Hi."), AssistantSaid("Hello."), UserSaid("Read."), *called("a", "x" * MEGABYTE))
    kept = sent(messages, 100_000)
    assert words(kept) == ["Read."]
    assert len(results(kept)) == 1


@pytest.mark.parametrize("room", [500, 2_000, 20_000])
def test_arguments_texts_and_words_are_cut_too(room: int) -> None:
    """If nothing else helps; arguments stay a JSON object."""
    call = ToolCall("a", "read", json.dumps({"x": "y" * MEGABYTE}))
    messages = (
        UserSaid("u" * MEGABYTE), AssistantSaid("t" * MEGABYTE, (call,)),
        ToolAnswered("a", "read", "r" * MEGABYTE),
    )  # fmt: skip
    kept = sent(messages, room)
    assert size(kept) <= max(room * BYTES_PER_TOKEN, 4 * 600)
    (kept_call,) = (part for one in kept for part in one.parts if isinstance(part, ToolCallPart))
    assert isinstance(json.loads(str(kept_call.args)), dict)


def test_of_very_many_steps_the_newest_stay() -> None:
    """As a loop of an agent's own may leave them."""
    steps = (one for number in range(3000) for one in called(f"c{number}", "x" * 2000))
    kept = sent((UserSaid("Go."), *steps), 10_000)
    assert size(kept) <= 10_000 * BYTES_PER_TOKEN
    assert_whole(kept)
    (last,) = (part for part in kept[-1].parts if isinstance(part, ToolReturnPart))
    assert last.tool_call_id == "c2999"


def test_any_conversation_fits_and_stays_whole() -> None:
    """Calls with their results, the newest words among them."""
    dice = random.Random(11)
    for _ in range(300):
        messages: list[Message] = []
        for number in range(dice.randrange(1, 12)):
            messages.append(UserSaid(f"{number} " + "w" * dice.randrange(2000)))
            for step in range(dice.randrange(3)):
                messages += called(f"c{number}-{step}", dice.choice("xé日😀") * dice.choice([1, 100, 50_000]))
            messages += [AssistantSaid("a" * dice.randrange(1, 3000))] if dice.random() < 0.7 else []
        room = dice.choice([3_000, 10_000, 50_000])
        kept = sent((*messages, UserSaid("Last.")), room)
        texts = [*results(kept), *words(kept)]
        assert sum(len(text.encode()) for text in texts) <= room * BYTES_PER_TOKEN + len(LEFT_OUT)
        assert words(kept)[-1].endswith("Last.")
        assert_whole(kept)


def room_of(window: int | None, *, instructions: str = "", max_tokens: int | None = None) -> int:
    model = FunctionModel(
        stream_function=responses(),
        profile={"context_window": window},
        settings={"max_tokens": max_tokens} if max_tokens else None,
    )
    tool = ToolDefinition(name="read", description=instructions)
    return RequestModel(model).room_for_messages(ModelRequestParameters(function_tools=[tool]))


def test_room_is_left_for_the_answer_and_for_what_is_beside_the_messages() -> None:
    """By the settings where they say how long an answer may be; a small window keeps a quarter for it."""
    near = 400
    assert 0 <= 200_000 - ANSWER_TOKENS - room_of(200_000) < near
    assert 0 <= DEFAULT_WINDOW - ANSWER_TOKENS - room_of(None) < near
    assert 0 <= 8_000 - 2_000 - room_of(8_000) < near
    assert 0 <= 200_000 - 1_000 - room_of(200_000, max_tokens=1_000) < near
    assert 0 <= 200_000 - ANSWER_TOKENS - 10_000 - room_of(200_000, instructions="x" * 10_000 * BYTES_PER_TOKEN) < near
    assert room_of(8_000, instructions="x" * MEGABYTE) == 1_000


@pytest.mark.parametrize("room", [10**6, 5_000])
def test_a_refusal_for_length_halves_what_is_sent(room: int) -> None:
    """Once for each of them, however much room was thought to be left: the provider knows better."""
    turns = [(UserSaid(f"{number} {'x' * 1000}"), AssistantSaid("y" * 1000)) for number in range(20)]
    messages = (*(one for turn in turns for one in turn), UserSaid("Now."))
    whole, half, quarter = (size(sent(messages, room, shrink=shrink)) for shrink in range(3))
    assert whole / 3 < half <= whole / 2
    assert whole / 9 < quarter <= whole / 4


async def test_the_librarys_own_history_stays_as_it_is() -> None:
    """What is cut for one request is whole for the next."""
    messages = to_model_messages((UserSaid("Read."), *called("a", "x" * MEGABYTE), UserSaid("\n")))
    before = repr(messages)
    model = FunctionModel(stream_function=responses(), profile={"context_window": 8_000})
    prepared = RequestModel(model).prepare_messages(messages, ModelRequestParameters())
    assert size(prepared) < 20_000
    assert repr(messages) == before
    assert isinstance(prepared[-1], ModelRequest)
