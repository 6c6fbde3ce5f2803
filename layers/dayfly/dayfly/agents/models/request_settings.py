"""From our settings of a model to what the agents' library sends."""

from typing import Final

from pydantic_ai.profiles import ModelProfile, merge_profile
from pydantic_ai.settings import ModelSettings as LibrarySettings

from dayfly.agents.pydantic.failures.stall_watch import FIRST_EVENT_S, SILENCE_S
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.errors import ConfigurationError

CONNECT_SECONDS: Final = 10.0


def silence_of(settings: ModelSettings) -> float:
    """Seconds without a byte after which a client takes its connection for lost: never less than the model may take."""
    return max(settings.silence_timeout or SILENCE_S, settings.first_event_timeout or FIRST_EVENT_S)


def add_common(told: LibrarySettings, settings: ModelSettings) -> None:
    """Adds what the library has one name for at all providers: all but a budget of thinking, and the request's body."""
    if settings.max_tokens is not None:
        told["max_tokens"] = settings.max_tokens
    if settings.temperature is not None:
        told["temperature"] = settings.temperature
    if settings.top_p is not None:
        told["top_p"] = settings.top_p
    if settings.stop is not None:
        told["stop_sequences"] = list(settings.stop)
    if settings.first_event_timeout is not None:
        told["first_event_timeout"] = settings.first_event_timeout
    if settings.request_timeout is not None:
        told["request_timeout"] = settings.request_timeout
    if settings.prompt_cache is not None:
        told["cache"] = settings.prompt_cache
    if isinstance(settings.thinking, bool | str):
        told["thinking"] = settings.thinking


def thinking_budget(settings: ModelSettings) -> int | None:
    """The budget of thinking in tokens, if it is one."""
    thinking = settings.thinking
    return thinking if isinstance(thinking, int) and not isinstance(thinking, bool) else None


def refuse_budget(settings: ModelSettings, whose: str) -> None:
    """Raises `ConfigurationError` for a budget of thinking."""
    if thinking_budget(settings) is not None:
        raise ConfigurationError(f"the setting thinking is an effort such as `low` with {whose}, not tokens")


def profile_of(settings: ModelSettings, base: ModelProfile | None = None) -> ModelProfile:
    """What is known of the model beside what the library knows: `base`, and what the settings say of it."""
    window = settings.context_window
    return merge_profile(base, None if window is None else ModelProfile(context_window=window))
