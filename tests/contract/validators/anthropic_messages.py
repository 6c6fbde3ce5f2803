"""What Anthropic's Messages take.

Sources: https://docs.anthropic.com/en/api/messages and
https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use (order of results)
"""

import re

from pydantic import JsonValue

from tests.contract.validators.shapes import Object, a_text, an_object, need, objects

_ID = r"[a-zA-Z0-9_-]+"
_NAME = r"[a-zA-Z0-9_-]{1,128}"


def check_anthropic_messages(request: Object) -> None:
    """Raises `Refused` for a request that Anthropic does. Messages of one role behind each other are one there."""
    tools = objects(request.get("tools", []), "tools")
    messages = _one_by_role(objects(request.get("messages"), "messages"))
    need(bool(messages), "there are messages")
    need(messages[0][0] == "user", "the user speaks first")
    need(messages[-1][0] == "user", "the user speaks last")
    waiting: list[str] = []
    seen: set[str] = set()
    for role, blocks in messages:
        asked: list[str] = []
        results: list[str] = []
        for block in blocks:
            kind = block["type"]
            if kind == "text":
                a_text(block.get("text"), f"a text of {role}")
            elif kind == "tool_use":
                need(role == "assistant", "the assistant calls")
                need(re.fullmatch(_ID, str(block["id"])) is not None, f"an id: {block['id']!r}")
                need(re.fullmatch(_NAME, str(block["name"])) is not None, f"a name: {block['name']!r}")
                an_object(block["input"], "input")
                asked.append(str(block["id"]))
            elif kind == "tool_result":
                need(role == "user", "the user answers")
                need(all(one["type"] == "tool_result" for one in blocks[: len(results)]), "results come first")
                _check_result(block.get("content"))
                results.append(str(block["tool_use_id"]))
            else:
                need(kind in {"thinking", "redacted_thinking"} and role == "assistant", f"a block {kind} of {role}")
                a_text(block.get("signature", block.get("data")), "a signature")
        need(sorted(results) == sorted(waiting), f"the results are those of the calls before: {results} {waiting}")
        need(bool(tools) or not (results or asked), "tool blocks want tools")
        need(not seen & set(asked) and len(set(asked)) == len(asked), "no id is there twice")
        seen |= set(asked)
        waiting = asked
    need(not waiting, "no call is open")


def _check_result(content: JsonValue) -> None:
    if isinstance(content, str):
        return
    for block in objects(content or [], "content of a result"):
        if block["type"] == "text":
            a_text(block.get("text"), "text of a result")


def _one_by_role(messages: list[Object]) -> list[tuple[str, list[Object]]]:
    joint: list[tuple[str, list[Object]]] = []
    for message in messages:
        content, role = message["content"], str(message["role"])
        whole: JsonValue = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks = objects(whole, "content")
        need(bool(blocks), "a message has content")
        if joint and joint[-1][0] == role:
            joint[-1][1].extend(blocks)
        else:
            joint.append((role, list(blocks)))
    return joint
