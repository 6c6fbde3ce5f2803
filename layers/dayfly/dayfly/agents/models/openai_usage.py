"""What a chat completion used, of the counts that servers of OpenAI's protocol send."""

from typing import Final

from pydantic import JsonValue

_COUNTS: Final = {
    "prompt_tokens": ("prompt_tokens", "input_tokens"),
    "completion_tokens": ("completion_tokens", "output_tokens"),
    "total_tokens": ("total_tokens",),
}
_CACHED: Final = ("cached_tokens", "cache_write_tokens")
_REASONED: Final = ("reasoning_tokens",)
_CACHED_ALONE: Final = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
"""Where servers without `prompt_tokens_details` count what they read from a cache."""
_MOST: Final = 2**53


class ChatUsage:
    """The counts of one response. They may come with every chunk: each then counts all that came before it too, so the
    greatest of each is right."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def take(self, *usages: JsonValue) -> None:
        """Takes counts from wherever a chunk may have them."""
        for usage in usages:
            if isinstance(usage, dict):
                for name, count in _counted(usage):
                    self._counts[name] = max(count, self._counts.get(name, 0))

    @property
    def total(self) -> dict[str, JsonValue] | None:
        """A `usage` as OpenAI documents it; `None` where nothing was counted."""
        counts = self._counts
        if not counts:
            return None
        prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens", 0)
        if prompt is None:
            prompt = max(0, counts.get("total_tokens", 0) - completion)
        cached: dict[str, JsonValue] = {name: counts[name] for name in _CACHED if name in counts}
        reasoned: dict[str, JsonValue] = {name: counts[name] for name in _REASONED if name in counts}
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            **({"prompt_tokens_details": cached} if cached else {}),
            **({"completion_tokens_details": reasoned} if reasoned else {}),
        }


def _counted(usage: dict[str, JsonValue]) -> list[tuple[str, int]]:
    found = [(ours, _count(usage.get(theirs))) for ours, names in _COUNTS.items() for theirs in names]
    of_prompt, of_completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    if isinstance(of_prompt, dict):
        found += [(name, _count(of_prompt.get(name))) for name in _CACHED]
    if isinstance(of_completion, dict):
        found += [(name, _count(of_completion.get(name))) for name in _REASONED]
    found += [("cached_tokens", _count(usage.get(name))) for name in _CACHED_ALONE]
    return [(name, count) for name, count in found if count is not None]


def _count(value: JsonValue) -> int | None:
    """A count, also as a float or a text; `None` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return int(value) if isinstance(value, int | float) and 0 <= value < _MOST else None
