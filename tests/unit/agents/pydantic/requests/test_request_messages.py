"""What a conversation becomes in a request, by the rules of its provider."""

import json

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from dayfly.agents.pydantic.requests.conversation import to_model_messages
from dayfly.agents.pydantic.requests.messages import (
    GO_ON,
    LEFT_OUT,
    NO_ANSWER,
    NO_OUTPUT,
    NO_WORDS,
    folded,
    request_messages,
)
from dayfly.agents.pydantic.requests.rules import RULES, Rules
from dayfly.agents.pydantic.requests.tool_call_ids import Origin
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, UserSaid

COMPATIBLE = RULES["openai-compatible"]
BEDROCK = RULES["bedrock"]

each_provider = pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())


def sent(*messages: Message, rules: Rules = BEDROCK, tools: bool = True, room: int = 100_000) -> list[str]:
    """One line for each part: who says it, and what."""
    given = request_messages(to_model_messages(messages), rules, provider="x", tools=tools, room=room)
    return [_line(part) for message in given for part in message.parts]


def _line(part: object) -> str:
    match part:
        case UserPromptPart(content=content):
            return f"user {content}"
        case TextPart(content=content):
            return f"assistant {content}"
        case ToolCallPart():
            return f"call {part.tool_call_id} {part.tool_name} {part.args}"
        case ToolReturnPart():
            return f"result {part.tool_call_id} {part.content}"
        case _:
            return type(part).__name__


CALL = AssistantSaid("", (ToolCall("a", "add", "{}"),))


@pytest.mark.parametrize("blank", ["", "\n\n", " \t", "\u00a0", "\u200b", "\ufeff\n", "\x00"])
@each_provider
def test_nothing_blank_is_sent(rules: Rules, blank: str) -> None:
    """Neither as an answer, nor before a call, nor as a result, nor as the user's words."""
    lines = sent(
        UserSaid(blank), AssistantSaid(blank), UserSaid("Add."), AssistantSaid(blank, CALL.calls),
        ToolAnswered("a", "add", blank), rules=rules,
    )  # fmt: skip
    assert lines == [f"user {NO_WORDS}\n\nAdd.", "call a add {}" if rules.takes_call_id("a") else lines[1],
                     f"result a {NO_OUTPUT}"]  # fmt: skip


@each_provider
def test_a_run_that_was_stopped_before_its_first_word(rules: Rules) -> None:
    """The user's messages are one."""
    assert sent(UserSaid("Hi."), UserSaid("Hello?"), rules=rules) == ["user Hi.\n\nHello?"]


@each_provider
def test_answers_behind_each_other_are_one_message(rules: Rules) -> None:
    """As a run leaves them that was cut in its second try."""
    messages = (UserSaid("Hi."), AssistantSaid("One"), AssistantSaid("two"), UserSaid("And?"))
    given = request_messages(to_model_messages(messages), rules, provider="x", tools=True, room=9000)
    assert [type(message) for message in given] == [ModelRequest, ModelResponse, ModelRequest]


@each_provider
def test_the_user_speaks_first_and_last(rules: Rules) -> None:
    """Where the beginning was left out, and where the model had the last word."""
    assert sent(AssistantSaid("Hello."), UserSaid("Hi."), rules=rules)[0] == f"user {LEFT_OUT}"
    assert sent(UserSaid("Hi."), AssistantSaid("Hello."), rules=rules)[-1] == f"user {GO_ON}"
    assert sent(rules=rules) == [f"user {NO_WORDS}"]


@pytest.mark.parametrize("provider", ["bedrock", "anthropic", "openai-compatible"])
def test_calls_are_told_as_text_where_no_tool_is_listed(provider: str) -> None:
    """They would be refused."""
    lines = sent(UserSaid("Add."), CALL, ToolAnswered("a", "add", "2"), AssistantSaid("It is 2."), UserSaid("Thanks."),
                 rules=RULES[provider], tools=False)  # fmt: skip
    assert lines == [
        "user Add.\n\n[The assistant called the tool add with {}. The result: 2]", "assistant It is 2.", "user Thanks.",
    ]  # fmt: skip


def test_strict_templates_have_an_answer_behind_results() -> None:
    """Their roles alternate, calls and results aside."""
    messages = (UserSaid("Add."), CALL, ToolAnswered("a", "add", "2"), UserSaid("And now?"))
    assert sent(*messages, rules=COMPATIBLE)[-2:] == [f"assistant {NO_ANSWER}", "user And now?"]
    assert sent(*messages)[-2:] == ["result a 2", "user And now?"]


def test_strict_templates_take_one_call_a_response() -> None:
    """Another provider's calls stand behind each other there; what the server gave itself stays as it was."""
    two = AssistantSaid("Both.", (*CALL.calls, ToolCall("b", "add", "{}")))
    messages = (UserSaid("Add."), two, ToolAnswered("b", "add", "2"), ToolAnswered("a", "add", "1"))
    split = ["user Add.", "assistant Both.", "call a add {}", "result a 1", "call b add {}", "result b 2"]
    assert sent(*messages, rules=COMPATIBLE) == split
    assert sent(*messages) == ["user Add.", *split[1:3], split[4], split[3], split[5]]


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ('{"x": NaN}', {"x": None}), ('{"x": [Infinity, -Infinity, 1e999]}', {"x": [None, None, None]}),
        ('{"x": 1, "x": 2}', {"x": 2}), ('{"x": "\\ud83d"}', {"x": "\ufffd"}), ("", {}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ('{"x"', {"INVALID_JSON": '{"x"'}), ("null", {"INVALID_JSON": "null"}), ("[" * 100_000, None),
        ('{"\\ud800": 1, "\\ud801": 2}', {"\ufffd": 2}), ('{"x": ' + "9" * 5000 + "}", None),
    ],
)  # fmt: skip
@each_provider
def test_arguments_are_a_json_object(rules: Rules, arguments: str, right: object) -> None:
    """As RFC 8259 has it, whatever the model wrote."""
    call = AssistantSaid("", (ToolCall("aaaaaaaaa", "add", arguments),))
    given = request_messages(to_model_messages((UserSaid("Add."), call)), rules, provider="x", tools=True, room=100_000)
    (sent_call,) = (part for message in given for part in message.parts if isinstance(part, ToolCallPart))
    assert isinstance(sent_call.args, str)
    loaded = json.loads(sent_call.args, parse_constant=pytest.fail)
    assert isinstance(loaded, dict)
    assert right is None or loaded == right


@pytest.mark.parametrize("name", ["foo.bar baz", "", "9", "größe", "x" * 300, "a/b", "\ud800"])
@each_provider
def test_names_are_of_the_providers_alphabet(rules: Rules, name: str) -> None:
    """A model may have made one up; call and result have the same."""
    messages = (UserSaid("Go."), AssistantSaid("", (ToolCall("aaaaaaaaa", name, "{}"),)))
    given = request_messages(to_model_messages(messages), rules, provider="x", tools=True, room=9000)
    names = {part.tool_name for one in given for part in one.parts if isinstance(part, ToolCallPart | ToolReturnPart)}
    assert len(names) == 1
    assert 0 < len(min(names)) <= 64
    assert min(names).replace("-", "_").isidentifier()
    assert min(names).isascii()


@pytest.mark.parametrize("call_id", ["x" * 949, "a.b:c", "", "ü", "call 1", "a\ud83d"])
@each_provider
def test_ids_are_of_the_providers_alphabet_and_no_two_alike(rules: Rules, call_id: str) -> None:
    """Those of a journal that was written before there were our own, too."""
    call = AssistantSaid("", (ToolCall(call_id, "add", "{}"),))
    messages = (UserSaid("Go."), call, ToolAnswered(call_id, "add", "1"), call, ToolAnswered(call_id, "add", "2"))
    given = request_messages(to_model_messages(messages), rules, provider="x", tools=True, room=9000)
    ids = [part.tool_call_id for one in given for part in one.parts if isinstance(part, ToolCallPart)]
    results = [part.tool_call_id for one in given for part in one.parts if isinstance(part, ToolReturnPart)]
    assert ids == results
    assert len(set(ids)) == 2
    assert all(rules.takes_call_id(one) for one in ids)


def _own(*parts: TextPart | ThinkingPart | ToolCallPart, provider: str = "x", **ids: str) -> ModelResponse:
    return Origin(provider, ids).noted_in(ModelResponse(list(parts), provider_name=provider))


SIGNED = ThinkingPart("Hm.", signature="sig", provider_name="x")
FIELD = ThinkingPart("Hm.", id="reasoning_content", provider_name="x")
UNSIGNED = ThinkingPart("Hm.")
TAGS = ThinkingPart("Hm.", id="content", provider_name="x")
THOUGHTS = (SIGNED, FIELD, UNSIGNED, TAGS)


def _thoughts(given: list[ModelMessage]) -> list[ThinkingPart]:
    return [part for message in given for part in message.parts if isinstance(part, ThinkingPart)]


@pytest.mark.parametrize(("provider", "back"), [("bedrock", [SIGNED]), ("anthropic", [SIGNED]), ("google", [SIGNED]),
                                                ("openai-compatible", [FIELD]), ("openai", [FIELD])])  # fmt: skip
def test_a_providers_own_state_goes_back_and_nobody_elses(provider: str, back: list[ThinkingPart]) -> None:
    """With its own id of the call, and what is beside the call; reasoning from tags goes back to nobody."""
    call = ToolCallPart("add", "{}", "ours", provider_name="x", provider_details={"extra_content": {"sig": "s"}})
    asked = ModelRequest([UserPromptPart("Add.")])
    result = ModelRequest([ToolReturnPart("add", "2", "ours")])
    own, other = (_own(*THOUGHTS, call, provider=who, ours="theirs" * 100) for who in ("x", "y"))
    given = request_messages([asked, own, result], RULES[provider], provider="x", tools=True, room=9000)
    assert _thoughts(given) == back
    (sent_call,) = (part for part in given[1].parts if isinstance(part, ToolCallPart))
    assert (sent_call.tool_call_id, sent_call.provider_details) == ("theirs" * 100, call.provider_details)
    given = request_messages([asked, other, result], RULES[provider], provider="x", tools=True, room=9000)
    assert _thoughts(given) == []
    (sent_call,) = (part for part in given[1].parts if isinstance(part, ToolCallPart))
    assert (sent_call.tool_call_id, sent_call.provider_details) == ("ours", None)


@pytest.mark.parametrize(("provider", "kept"), [("google", True), ("bedrock", False), ("openai", False)])
def test_a_blank_text_that_is_signed_goes_back_to_who_signs_so(provider: str, kept: bool) -> None:
    """Gemini's last signature may come with nothing to read."""
    call = ToolCallPart("add", "{}", "ours")
    signed = TextPart("", provider_name="x", provider_details={"thought_signature": "c2ln"})
    messages: list[ModelMessage] = [
        ModelRequest([UserPromptPart("Hi.")]), _own(call, signed, ours="theirs"),
        ModelRequest([ToolReturnPart("add", "2", "ours")]),
    ]  # fmt: skip
    given = request_messages(messages, RULES[provider], provider="x", tools=True, room=9000)
    assert (signed in given[1].parts) == kept


def test_reasoning_in_a_field_goes_back_in_turns_with_calls_alone() -> None:
    """Elsewhere a server would refuse it."""
    asked = ModelRequest([UserPromptPart("Hi.")])
    answer = _own(FIELD, TextPart("Hello."))
    called = _own(FIELD, ToolCallPart("add", "{}", "ours"), ours="theirs")
    result = ModelRequest([ToolReturnPart("add", "2", "ours")])
    messages: list[ModelMessage] = [asked, answer, asked, called, result, answer, asked]
    given = request_messages(messages, COMPATIBLE, provider="x", tools=True, room=9000)
    assert [len(_thoughts([message])) for message in given] == [0, 0, 0, 1, 0, 1, 0]


def test_ids_that_a_server_numbers_from_zero_do_not_collide() -> None:
    """The second has ours."""
    asked = ModelRequest([UserPromptPart("Add.")])
    calls = [_own(ToolCallPart("add", "{}", one), **{one: "call_0"}) for one in ("first", "second")]
    results = [ModelRequest([ToolReturnPart("add", "2", one)]) for one in ("first", "second")]
    given = request_messages([asked, calls[0], results[0], calls[1], results[1]], COMPATIBLE,
                             provider="x", tools=True, room=9000)  # fmt: skip
    ids = [part.tool_call_id for message in given for part in message.parts if isinstance(part, ToolReturnPart)]
    assert ids == ["call_0", "second"]


def test_the_librarys_notes_become_a_part_of_what_they_are_about() -> None:
    """No message stands between a call's result and the model's next words, and `system` stays first."""
    given = folded([
        ModelRequest([UserPromptPart("<system>")]), ModelResponse([ToolCallPart("add", "{}", "a")]),
        ModelRequest([ToolReturnPart("add", "2", "a"), UserPromptPart("<system>A note.</system>")]),
    ])  # fmt: skip
    assert [_line(part) for part in given[-1].parts] == ["result a 2\n\n<system>A note.</system>"]
