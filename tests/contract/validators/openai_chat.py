"""What OpenAI's Chat Completions take, and what the chat templates of open models do.

Sources: https://platform.openai.com/docs/api-reference/chat/create;
https://docs.mistral.ai/capabilities/function_calling; and the templates in the `tokenizer_config.json` of
mistralai/Mistral-7B-Instruct-v0.3, meta-llama/Llama-3.1-8B-Instruct and google/gemma-2-9b-it.
"""

import re

from pydantic import JsonValue

from tests.contract.validators.rfc8259 import strictly_loaded
from tests.contract.validators.shapes import Object, a_text, an_object, need, objects

_NAME = r"[a-zA-Z0-9_-]{1,64}"
_NINE = r"[a-zA-Z0-9]{9}"
LONGEST_ID = 40
LONGEST_TEXT = 1_048_576


def check_openai_chat(request: Object, *, own_ids: frozenset[str] = frozenset()) -> None:
    """Raises `Refused` for a request that OpenAI does. `own_ids` are ids that this server has given itself."""
    messages = objects(request.get("messages"), "messages")
    need(bool(messages), "there are messages")
    need("tools" not in request or bool(request["tools"]), "tools are not empty")
    waiting: list[str] = []
    for message in messages:
        role = message["role"]
        content = message.get("content")
        need(isinstance(content, str | None), "content is a text")
        need(len(str(content)) <= LONGEST_TEXT, "content is not too long")
        if role == "tool":
            need(isinstance(content, str), "a result has a text")
            need(str(message["tool_call_id"]) in waiting, f"a result answers a call before it: {message}")
            waiting.remove(str(message["tool_call_id"]))
            continue
        need(not waiting, f"results stand directly behind their calls: {waiting} {role}")
        if role == "assistant":
            waiting = [_call(call, own_ids) for call in objects(message.get("tool_calls", []), "tool_calls")]
            need(bool(waiting) or content is not None, "an assistant's message has a text or calls")
            need("tool_calls" not in message or bool(waiting), "tool_calls are not empty")
            need(len(set(waiting)) == len(waiting), "no id is there twice")
        else:
            need(role in {"system", "developer", "user"}, f"the role {role}")
            need(content is not None, "content is there")
    need(not waiting, "no call is open")


def _call(call: Object, own_ids: frozenset[str]) -> str:
    call_id = str(call["id"])
    need(call["type"] == "function", "a call's type")
    need(call_id in own_ids or 0 < len(call_id) <= LONGEST_ID, f"an id: {call_id!r}")
    function = an_object(call["function"], "function")
    need(re.fullmatch(_NAME, str(function["name"])) is not None, f"a name: {function['name']!r}")
    an_object(strictly_loaded(str(function["arguments"])), "arguments")
    return call_id


def check_strict_template(request: Object, *, nine: bool, own_ids: frozenset[str] = frozenset()) -> None:
    """Raises `Refused` for a request that a template does: `system` first and once, then user and assistant in turn,
    calls and their results aside; one call a response unless the server gave them itself (`own_ids`). `nine`: ids are
    those of Mistral."""
    check_openai_chat(request, own_ids=own_ids)
    messages = objects(request["messages"], "messages")
    if messages[0]["role"] == "system":
        a_text(messages.pop(0).get("content"), "the system's text")
    turn = 0
    for message in messages:
        role, calls = message["role"], objects(message.get("tool_calls", []), "tool_calls")
        need(role in {"user", "assistant", "tool"}, f"the role {role} behind the first message")
        if message.get("content") is not None:
            a_text(message["content"], f"a text of {role}")
        for call in calls:
            need(not nine or re.fullmatch(_NINE, str(call["id"])) is not None, f"an id of Mistral: {call['id']!r}")
        own = any(str(call["id"]) in own_ids for call in calls)
        need(len(calls) < 2 or own, "one call a response")
        need(bool(request.get("tools")) or (role != "tool" and not calls), "tools are listed")
        if role == "tool" or calls:
            continue
        need(role == ("user", "assistant")[turn % 2], "user and assistant in turn")
        turn += 1
    need(messages[-1]["role"] in {"user", "tool"}, "the user or a result is last")


def roles_of(request: dict[str, JsonValue]) -> list[str]:
    """The roles of a request's messages."""
    return [str(message["role"]) for message in objects(request["messages"], "messages")]
