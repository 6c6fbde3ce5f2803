"""Settings of the requests to a model: an agent's own stand over the deployment's, and these over the provider's."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pydantic import JsonValue

from dayfly.errors import ConfigurationError

Effort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]
Retention = Literal["5m", "1h"]

MIN_THINKING_TOKENS: Final = 1024
"""What Anthropic takes as the least budget.
Source: https://docs.claude.com/en/docs/build-with-claude/extended-thinking"""

_EFFORTS: Final = get_args(Effort)
_RETENTIONS: Final = get_args(Retention)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How a model is asked. What is None is left to the deployment's settings, and then to the provider.

    Args:
        max_tokens: The most tokens of one response, reasoning included. Where a provider must be told, the default is
            the most that the model can give.
        temperature: 0 to 2; a provider may take less.
        top_p: Above 0, up to 1.
        stop: Texts at which the model stops.
        thinking: True, False, an effort (`minimal`, `low`, `medium`, `high`, `xhigh`, `max`), or a budget in tokens,
            which Anthropic's models and Gemini take.
        first_event_timeout: The longest wait for the first piece of a response, in seconds.
        silence_timeout: The longest wait between two pieces of a response, in seconds.
        request_timeout: The longest that a whole response may take, in seconds.
        extra_body: Further fields of the request, as its provider names them.
        prompt_cache: Has the provider keep what requests begin with: True, False, or for how long (`5m`, `1h`). OpenAI
            and Gemini do so without being asked.
        context_window: How many tokens the model takes, where that is not known of it.

    Raises:
        ConfigurationError: A value is not one of these. The message names its field.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    thinking: bool | Effort | int | None = None
    first_event_timeout: float | None = None
    silence_timeout: float | None = None
    request_timeout: float | None = None
    extra_body: Mapping[str, JsonValue] | None = field(default=None, hash=False)
    prompt_cache: bool | Retention | None = None
    context_window: int | None = None

    def __post_init__(self) -> None:
        for name, (holds, wanted) in _RULES.items():
            value = getattr(self, name)
            if value is not None and not holds(value):
                raise ConfigurationError(f"the model's setting {name} is {wanted}, not {value!r}")
        if self._budget is not None and self.max_tokens is not None and self._budget >= self.max_tokens:
            raise ConfigurationError(
                f"the model's setting thinking is less than max_tokens, not {self.thinking} of {self.max_tokens}"
            )

    @property
    def _budget(self) -> int | None:
        return self.thinking if isinstance(self.thinking, int) and not isinstance(self.thinking, bool) else None

    def over(self, base: "ModelSettings") -> "ModelSettings":
        """These settings, with those of `base` for what is None here.

        Raises:
            ConfigurationError: The two together make no sense.
        """
        given = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return dataclasses.replace(base, **{name: value for name, value in given.items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> "ModelSettings":
        """The settings of a JSON object with the fields' names; of an empty text, none.

        Raises:
            ConfigurationError: It is no such object. The message names the field.
        """
        if not text.strip():
            return cls()
        try:
            told: JsonValue = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"the model's settings are no JSON: {error}") from error
        if not isinstance(told, dict):
            raise ConfigurationError("the model's settings are a JSON object")
        names = {one.name for one in dataclasses.fields(cls)}
        if unknown := sorted(told.keys() - names):
            raise ConfigurationError(
                f"the model has no setting {', '.join(unknown)}; there are: {', '.join(sorted(names))}"
            )
        stop = told.get("stop")
        return cls(**{**told, "stop": tuple(stop) if isinstance(stop, list) else stop})  # type: ignore[arg-type]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _number(value: object) -> float:
    """NaN, which no bound holds for, where it is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _seconds(value: object) -> bool:
    return 0 < _number(value) <= 86_400


def _texts(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, str) and one for one in value)


def _thinking(value: object) -> bool:
    return isinstance(value, bool) or value in _EFFORTS or (_whole(value) and _number(value) >= MIN_THINKING_TOKENS)


def _body(value: object) -> bool:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        return False
    try:
        json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


_RULES: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "max_tokens": (_whole, "a whole number from 1"),
    "temperature": (lambda value: 0 <= _number(value) <= 2, "a number from 0 to 2"),
    "top_p": (lambda value: 0 < _number(value) <= 1, "a number above 0, up to 1"),
    "stop": (_texts, "a list of texts"),
    "thinking": (_thinking, f"true, false, one of {', '.join(_EFFORTS)}, or tokens from {MIN_THINKING_TOKENS}"),
    "first_event_timeout": (_seconds, "seconds above 0, up to 86400"),
    "silence_timeout": (_seconds, "seconds above 0, up to 86400"),
    "request_timeout": (_seconds, "seconds above 0, up to 86400"),
    "extra_body": (_body, "a JSON object"),
    "prompt_cache": (lambda value: isinstance(value, bool) or value in _RETENTIONS, "true, false, 5m or 1h"),
    "context_window": (_whole, "a whole number from 1"),
}
