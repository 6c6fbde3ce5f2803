"""What requests of Chat Completions have in common, whoever serves them."""

import openai
from pydantic_ai.models.openai import OpenAIChatModelSettings

from dayfly.agents.models.request_settings import CONNECT_SECONDS, add_common, refuse_budget, silence_of
from dayfly.agents.sdk.settings import ModelSettings


def chat_settings(settings: ModelSettings) -> OpenAIChatModelSettings:
    """The settings of each request. Raises `ConfigurationError` for a budget of thinking, which has no field there."""
    refuse_budget(settings, "Chat Completions")
    told = OpenAIChatModelSettings()
    add_common(told, settings)
    if settings.extra_body is not None:
        told["extra_body"] = dict(settings.extra_body)
    return told


def client_timeout(settings: ModelSettings) -> openai.Timeout:
    """How long a client waits: to connect, and for the next bytes."""
    return openai.Timeout(silence_of(settings), connect=CONNECT_SECONDS)
