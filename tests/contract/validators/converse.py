"""What Amazon Bedrock's Converse takes.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, …_Message.html,
…_ContentBlock.html, …_ToolUseBlock.html, …_ToolResultBlock.html, …_ToolConfiguration.html, and
https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
"""

import re

from tests.contract.validators.shapes import Object, a_text, an_object, need, objects

_ID = r"[a-zA-Z0-9_-]{1,64}"
_BLOCKS = {"user": {"text", "toolResult"}, "assistant": {"text", "toolUse", "reasoningContent"}}


def check_converse(request: Object) -> None:
    """Raises `Refused` for a request that Converse does."""
    for block in objects(request.get("system", []), "system"):
        a_text(block.get("text"), "a system block")
    tools = objects(an_object(request.get("toolConfig", {"tools": []}), "toolConfig").get("tools"), "tools")
    need("toolConfig" not in request or bool(tools), "toolConfig lists a tool")
    for tool in tools:
        need(re.fullmatch(_ID, str(an_object(tool["toolSpec"], "toolSpec")["name"])) is not None, "a tool's name")
    messages = objects(request.get("messages"), "messages")
    need(bool(messages), "there are messages")
    need(messages[-1]["role"] == "user", "the user speaks last")
    waiting: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        role = str(message["role"])
        need(role == ("user", "assistant")[place % 2], "roles alternate, beginning with the user")
        blocks = objects(message.get("content"), "content")
        need(bool(blocks), "a message has content")
        results: list[str] = []
        asked: list[str] = []
        for block in blocks:
            ((kind, value),) = block.items()
            need(kind in _BLOCKS[role], f"{kind} is no block of {role}")
            if kind == "text":
                a_text(value, f"a text of {role}")
            elif kind == "toolUse":
                asked.append(_tool_use(an_object(value, kind)))
            elif kind == "toolResult":
                results.append(_tool_result(an_object(value, kind)))
            else:
                need(not asked, "reasoning comes before calls")
                _reasoning(an_object(value, kind))
        need(sorted(results) == sorted(waiting), f"the results are those of the calls before: {results} {waiting}")
        need(bool(tools) or not (results or asked), "tool blocks want a toolConfig")
        need(not seen & set(asked) and len(set(asked)) == len(asked), "no id is there twice")
        seen |= set(asked)
        waiting = asked
    need(not waiting, "no call is open")


def _tool_use(block: Object) -> str:
    call_id, name = str(block["toolUseId"]), str(block["name"])
    need(re.fullmatch(_ID, call_id) is not None, f"an id: {call_id!r}")
    need(re.fullmatch(_ID, name) is not None, f"a name: {name!r}")
    an_object(block["input"], "input")
    return call_id


def _tool_result(block: Object) -> str:
    contents = objects(block.get("content"), "content of a result")
    need(bool(contents), "a result has content")
    for content in contents:
        if "text" in content:
            a_text(content["text"], "text of a result")
    need(block.get("status", "success") in {"success", "error"}, "a status")
    return str(block["toolUseId"])


def _reasoning(block: Object) -> None:
    if "redactedContent" not in block:
        a_text(an_object(block["reasoningText"], "reasoningText").get("signature"), "a signature")
