"""Which claims of a token agents know, and how they read them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dayfly.agents.sdk import AgentContext, AgentDefinition, ToolContext
from dayfly.agents.sdk.testing import ask
from dayfly.context.claims import MAX_BYTES, ChosenClaims, choose_claims, read_claims
from tests.unit.agents.support import context

TOKEN = {"sub": "x", "email": "a@b.example", "groups": ["a", {"b": None}], "age": 7, "https://b.example/role": "boss"}


def test_only_what_was_chosen_goes_along() -> None:
    """In the order of the names, each once; a name that the token lacks is not there, though a claim may be null."""
    names = ("https://b.example/role", "missing", "groups", "email", "groups")
    chosen = choose_claims(TOKEN, names)
    assert chosen.left_out == ()
    assert chosen.text == '{"https://b.example/role":"boss","groups":["a",{"b":null}],"email":"a@b.example"}'
    assert choose_claims(TOKEN, ()) == choose_claims(TOKEN, ("missing",)) == ChosenClaims("")
    assert choose_claims({"a": None}, ("a",)).text == '{"a":null}'


@pytest.mark.parametrize("letter", ["x", "é", "世", "🚀", '"', "\\", "\n", "\u2028"])
def test_all_claims_together_have_so_many_bytes(letter: str) -> None:
    """2 KB of JSON in UTF-8 fit; one byte more, and the claim with which it comes is left out as a whole, while a
    shorter one behind it still fits. However the answer to API Gateway is written, it stays below 8 KB."""
    assert MAX_BYTES == 2048
    one = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
    room = MAX_BYTES - len('{"a":"","b":1}')
    fits = letter * (room // one) + "x" * (room % one)
    assert len(choose_claims({"a": fits, "b": 1}, ("a", "b")).text.encode()) == MAX_BYTES
    over = choose_claims({"a": fits + "x" * len(',"b":1') + "x", "b": 1}, ("a", "b"))
    assert over == ChosenClaims('{"b":1}', ("a",))
    text = choose_claims({"a": fits, "b": 1}, ("a", "b")).text
    assert max(len(json.dumps({"chosen_claims": text})), len(json.dumps({"c": text}, ensure_ascii=False))) < 7 * 1024


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"a": ["\udfff"]}], ids=repr)
def test_what_json_cannot_hold_is_left_out(value: object) -> None:
    """Not-a-number and halves of characters, which a token's own JSON may bring."""
    assert choose_claims({"odd": value, "b": 1}, ("odd", "b")) == ChosenClaims('{"b":1}', ("odd",))


def test_claims_nested_without_end_are_left_out() -> None:
    """They would not fit either."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert choose_claims({"a": nested}, ("a",)).left_out == ("a",)


def test_claims_can_not_be_changed() -> None:
    """At any depth: an object is read-only, a list is a tuple."""
    claims = read_claims('{"groups":["a",{"b":["c"]}],"name":"x","age":7,"none":null,"yes":true}')
    assert claims == {"groups": ("a", {"b": ("c",)}), "name": "x", "age": 7, "none": None, "yes": True}
    with pytest.raises(TypeError):
        claims["name"] = "y"  # type: ignore[index]
    groups: Any = claims["groups"]
    with pytest.raises(TypeError):
        groups[1]["b"] = ()
    assert read_claims("") == read_claims(None) == {}


@pytest.mark.parametrize("text", ["[]", "7", "x", "null"])
def test_text_that_is_no_claims(text: str) -> None:
    """It is none of this backend's."""
    with pytest.raises(ValueError, match=r"JSON object|Expecting value"):
        read_claims(text)


def test_a_context_shows_no_claims() -> None:
    """They are not in its text, which may be logged; and contexts can be compared and hashed as before."""
    one = replace(context(), claims=read_claims('{"email":"a@b.example"}'))
    assert "b.example" not in repr(one)
    assert hash(one) == hash(context())
    assert one != context()
    assert one.child("helper").claims == {"email": "a@b.example"}


async def test_tools_and_instructions_know_the_claims() -> None:
    """`context.claims`, in both; `ask` gives them."""
    seen: list[object] = []

    def instructions(context: AgentContext) -> str:
        seen.append(context.claims)
        return "Greet."

    def greet(context: ToolContext) -> str:
        """Greets."""
        return f"Hello {context.claims['name']}, {'admin' in context.claims['roles']}."  # type: ignore[operator]

    agent = AgentDefinition(instructions=instructions, tools=(greet,))
    transcript = await ask(agent, "greet", claims={"name": "Ada", "roles": ["admin"]})
    assert transcript.results[0].content == "Hello Ada, True."
    assert seen == [{"name": "Ada", "roles": ("admin",)}]
    await ask(AgentDefinition(instructions=instructions), "hello")
    assert seen[-1] == {}
