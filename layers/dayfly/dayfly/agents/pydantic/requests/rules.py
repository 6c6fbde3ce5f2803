"""What each provider takes as a request's messages: one table."""

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from pydantic_ai.models import AbstractModel, Model

DEFAULT_WINDOW: Final = 128_000
"""Tokens that a model is taken to hold, input and output together, where neither its settings nor its name tell."""


class Thoughts(Enum):
    """What of a model's own reasoning goes back to its provider.

    `SIGNED`: what the provider has signed or encrypted; the rest would be sent as if it were the answer.
    `FIELD`: what came in a field of its own, in turns in which tools were called.
    """

    SIGNED = "signed"
    FIELD = "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One provider's rules. What all of them have in common (no blank text, no blank result, one result behind each
    call, consecutive messages of a role are one, `system` only first, arguments that are a JSON object, a user's words
    first, and a user's words or results last) is no field: it holds for each request.

    Attributes:
        call_id: The form of a tool call's id; another one is replaced. What the provider itself gave goes back as it
            came, unless `own_call_ids` says otherwise.
        tool_name: The form of a tool's name; other characters are replaced.
        tools_wanted: Tool calls and results are refused where the request lists no tools: then they are told as text.
        alternates: Between a tool's results and a user's words stands the assistant's, as in the chat templates of
            open models; a response of another provider asks for one tool only.
        thoughts: What of the reasoning goes back.
        longest_text: Characters of one text.
        own_call_ids: Whether the ids that the provider gave go back to it.
        signed_blanks: A text in which nothing is to be seen may carry the provider's signature, and goes back then.
    """

    call_id: str = r"[a-zA-Z0-9_-]{1,64}"
    tool_name: str = r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}"
    tools_wanted: bool = False
    alternates: bool = False
    thoughts: Thoughts = Thoughts.FIELD
    longest_text: int | None = None
    own_call_ids: bool = True
    signed_blanks: bool = False

    def takes_call_id(self, call_id: str) -> bool:
        """Whether an id may stand in a request."""
        return re.fullmatch(self.call_id, call_id) is not None


_OPENAI: Final = Rules(call_id=r"[a-zA-Z0-9_-]{1,40}", longest_text=1_000_000)
"""Sources: https://platform.openai.com/docs/api-reference/chat/create (names of functions), and the errors
`string_above_max_length` of the same API (ids: 40, a content: 1048576)."""

RULES: Final[dict[str, Rules]] = {
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html and …_Message.html
    "bedrock": Rules(tools_wanted=True, thoughts=Thoughts.SIGNED),
    "openai": _OPENAI,
    "azure": _OPENAI,
    # https://docs.anthropic.com/en/api/messages; `tool_use` blocks want the request's `tools`
    "anthropic": Rules(tools_wanted=True, thoughts=Thoughts.SIGNED),
    # https://ai.google.dev/api/caching#FunctionCall and https://ai.google.dev/gemini-api/docs/thought-signatures
    "google": Rules(thoughts=Thoughts.SIGNED, signed_blanks=True),
    # The templates of Mistral, Llama and Gemma, as servers such as vLLM, llama.cpp and Ollama apply them.
    "openai-compatible": Rules(call_id=r"[a-zA-Z0-9_-]{1,40}", tools_wanted=True, alternates=True),
}
"""By the library's name of the provider."""

_ANY: Final = Rules()
"""For models that are no provider's, such as the demo."""

_MISTRAL: Final = re.compile(r"(?i)mistral|mixtral|magistral|codestral|devstral|pixtral")
_NINE: Final = r"[a-zA-Z0-9]{9}"
"""Mistral's ids. Source: https://docs.mistral.ai/capabilities/function_calling"""
_MANY_ADDRESSES: Final = frozenset({"openai-compatible", "azure"})
"""Providers whose name stands for as many servers as there are addresses."""


def rules_for(model: AbstractModel) -> Rules:
    """The rules of the model's provider."""
    rules = RULES.get(_name(model), _ANY)
    if rules.alternates and _MISTRAL.search(model.model_name):
        return replace(rules, call_id=_NINE, own_call_ids=False)
    return rules


def has_provider(model: AbstractModel) -> bool:
    """Whether the model is a provider's, and not one of this process."""
    return _name(model) in RULES


def provider_of(model: AbstractModel) -> str:
    """Who is asked: the provider's name, and its address where a name has several. State goes back to no other."""
    if model.system not in _MANY_ADDRESSES:
        return model.system
    address = urlsplit((model.base_url if isinstance(model, Model) else None) or "")
    host = address.hostname or ""  # without credentials that somebody has put before it
    return f"{model.system} {host}{f':{address.port}' if address.port else ''}{address.path.rstrip('/')}"


def _name(model: AbstractModel) -> str:
    return "google" if model.system.startswith("google") else model.system
