"""From the chunks of a chat completion as servers stream them to chunks as OpenAI documents them.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from dayfly.agents.models.openai_tool_calls import ChatToolCalls, Object
from dayfly.agents.models.openai_usage import ChatUsage
from dayfly.agents.pydantic.responses.endings import CUT_OFF, REFUSAL

_THOUGHTS: Final = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
"""Under which names servers stream reasoning; the first two go back to them under the same."""
_WORDS: Final = ("text", "content", "thinking", "reasoning", "summary")
_STOPS: Final = frozenset({"stop", "content_filter"})


class ChatChunks:
    """The chunks of one response. Text and reasoning go on as they come; how the response ended, its usage and the
    arguments of its tool calls are told in the end, when they are known for sure."""

    def __init__(self) -> None:
        self._calls = ChatToolCalls()
        self._usage = ChatUsage()
        self._finish = ""
        self._said = self._refused = self._failed = False
        self._went_on = False
        """Whether more was said behind an ending: some servers name one in every chunk."""
        self._envelope: Object = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": ""}

    @property
    def finished(self) -> bool:
        """Whether the server has said how the response ended, or that it failed. Only its usage may follow."""
        return self._failed or bool(self._finish and not self._went_on)

    def take(self, value: JsonValue) -> Iterator[Object]:
        """Takes what the server sent as one event, and gives what is to be made of it."""
        if not isinstance(value, dict):
            return
        if (error := _error(value)) is not None:
            self._failed = True
            yield {"error": error}
            return
        self._note_envelope(value)
        choice = _first_object(value.get("choices"))
        self._usage.take(value.get("usage"), _member(value.get("x_groq"), "usage"), choice.get("usage"))
        delta = self._delta(choice)
        told: Object = {key: part for key, part in self._told(delta) if part}
        if told:
            self._said = True
            self._went_on = self._went_on or bool(self._finish)
            yield self._chunk(told)
        if (finish := choice.get("finish_reason")) and isinstance(finish, str) and finish.strip():
            self._finish = finish

    def end(self, *, whole: bool) -> Iterator[Object]:
        """What is left to tell when nothing more comes.

        Args:
            whole: The server has said that this was all.
        """
        if self._failed:
            return
        finish = self._finish or ("stop" if whole else CUT_OFF)
        if self._refused and finish in _STOPS:
            finish = REFUSAL
        if self._calls.nameless:
            finish = "malformed_tool_use"
        elif self._calls and finish != CUT_OFF:
            yield self._chunk({"tool_calls": list(self._calls.whole())})
        yield self._chunk({}, finish)
        if (usage := self._usage.total) is not None:
            yield {**self._envelope, "choices": [], "usage": usage}

    def _chunk(self, delta: Object, finish: str | None = None) -> Object:
        return {**self._envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    def _note_envelope(self, value: Object) -> None:
        for key in ("id", "model"):
            if isinstance(told := value.get(key), str) and told:
                self._envelope[key] = told
        created = value.get("created")
        if isinstance(created, int | float) and 0 < created < 1e11:
            self._envelope["created"] = int(created)

    def _delta(self, choice: Object) -> Object:
        """What the choice adds. A whole message counts where nothing came before it, which it would say again."""
        delta = choice.get("delta")
        if isinstance(delta, dict) and delta:
            return delta
        message = choice.get("message")
        if isinstance(message, dict) and not self._said and not self._calls:
            return message
        return {}

    def _told(self, delta: Object) -> Iterator[tuple[str, JsonValue]]:
        text, thoughts = _content(delta.get("content"))
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refused = True
            text += refusal
        yield "content", text
        name, reasoning = next(
            ((name, words) for name in _THOUGHTS if (words := _words(delta.get(name)))), (_THOUGHTS[0], "")
        )
        if not reasoning:
            reasoning = _words(delta.get("reasoning_details"))
        yield (name if name in _THOUGHTS[:2] else _THOUGHTS[0]), reasoning + thoughts
        yield "tool_calls", [told for item in _items(delta) for told in self._calls.take(item)]


def _items(delta: Object) -> Iterator[Object]:
    """The pieces of tool calls, those of the older protocol too, which had only one."""
    calls = delta.get("tool_calls")
    for item in calls if isinstance(calls, list) else [calls]:
        if isinstance(item, dict):
            yield item
    if isinstance(function := delta.get("function_call"), dict):
        yield {"index": 0, "function": function}


def _content(value: JsonValue) -> tuple[str, str]:
    """Text and thoughts of a content, which some servers send as a list of parts."""
    if isinstance(value, str):
        return value, ""
    text = thoughts = ""
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and part.get("type") in ("thinking", "reasoning"):
            thoughts += _words(part)
        else:
            text += _words(part)
    return text, thoughts


def _words(value: JsonValue) -> str:
    """The text in whatever a server puts around it; nothing for what is encrypted or no text."""
    match value:
        case str():
            return value
        case list():
            return "".join(map(_words, value))
        case dict():
            return next((words for key in _WORDS if (words := _words(value.get(key)))), "")
        case _:
            return ""


def _error(value: Object) -> Object | None:
    """An error in the place of a chunk, as an object with a message."""
    choices = value.get("choices")
    error = value.get("error") or _first_object(choices).get("error")
    if not error and not choices and (value.get("object") == "error" or value.get("type") == "error"):
        error = {key: each for key, each in value.items() if key != "object"}
    if not error and not choices and "detail" in value:
        error = value["detail"]
    match error:
        case dict() if error:
            message = error.get("message") or error.get("detail")
            return {**error, "message": message if isinstance(message, str) else "The server sent an error."}
        case str() if error:
            return {"message": error}
        case list() if error:
            return _error({"error": error[0]})
        case _:
            return None


def _first_object(value: JsonValue) -> Object:
    """The first object of a list; an empty one if there is none."""
    return next((each for each in value if isinstance(each, dict)), {}) if isinstance(value, list) else {}


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None
