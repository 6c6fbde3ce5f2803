"""What Gemini's `generateContent` takes.

Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/function-calling and
https://ai.google.dev/gemini-api/docs/thought-signatures
"""

import re

from tests.contract.validators.shapes import Object, a_text, an_object, need, objects

_NAME = r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}"


def check_generate_content(request: Object) -> None:
    """Raises `Refused` for a request that Gemini does."""
    contents = objects(request.get("contents"), "contents")
    need(bool(contents), "there are contents")
    need(contents[0]["role"] == "user", "the user speaks first")
    need(contents[-1]["role"] == "user", "the user speaks last")
    waiting: list[str] = []
    for content in contents:
        parts = objects(content.get("parts"), "parts")
        need(bool(parts), "a content has parts")
        asked: list[str] = []
        answered: list[str] = []
        for part in parts:
            if "functionCall" in part:
                need(content["role"] == "model", "the model calls")
                call = an_object(part["functionCall"], "functionCall")
                need(re.fullmatch(_NAME, str(call["name"])) is not None, f"a name: {call['name']!r}")
                an_object(call.get("args", {}), "args")
                need(bool(asked) or "thoughtSignature" in part, "the first call is signed")
                asked.append(str(call["name"]))
            elif "functionResponse" in part:
                response = an_object(part["functionResponse"], "functionResponse")
                an_object(response["response"], "response")
                answered.append(str(response["name"]))
            elif "thoughtSignature" not in part or part.get("text") != "":
                a_text(part.get("text"), "a text")
        if waiting or answered:
            need(sorted(answered) == sorted(waiting), f"responses stand directly behind calls: {answered} {waiting}")
        waiting = asked
    need(not waiting, "no call is open")
