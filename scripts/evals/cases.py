"""A file of cases, as people write it: YAML, or JSON, which is YAML too."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from dayfly.agents.sdk import AssistantSaid, Message, UserSaid


class CannotEvaluate(Exception):
    """The evaluation can't begin. The message is one line."""


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    """A message of the thread's earlier turns: one of the two."""

    user: str | None = None
    assistant: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Said":
        if (self.user is None) == (self.assistant is None):
            raise ValueError("a message of the history is `user: …` or `assistant: …`")
        return self

    @property
    def message(self) -> Message:
        """As an agent is given it."""
        return UserSaid(self.user) if self.user is not None else AssistantSaid(self.assistant or "")


class ExpectedCall(_Strict):
    """A call of a tool. Its arguments must be among the call's; `None`: any."""

    name: str
    arguments: dict[str, JsonValue] | None = None


def _call(value: object) -> object:
    """`look_up`, or `look_up: {city: Kiel}`."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1:
        ((name, arguments),) = value.items()
        return {"name": name, "arguments": arguments}
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]
Calls = Annotated[tuple[Annotated[ExpectedCall, BeforeValidator(_call)], ...], BeforeValidator(_several)]


class Expected(_Strict):
    """What a run is held to. At least one thing.

    Attributes:
        contains: Texts in the answer, in any case.
        lacks: Texts that are not in it.
        matches: Regular expressions that are found in it.
        tools: The calls, in their order, and no others; an empty list: none.
        calls: Calls that are among those that were made.
        asked: The names of the tools that the user was asked to allow, in their order.
        output: The answer, which is JSON, as a value.
        judge: A sentence that a model judges the answer by. Needs the setting `JUDGE`, and is left out without it.
    """

    contains: Texts = ()
    lacks: Texts = ()
    matches: Texts = ()
    tools: Calls | None = None
    calls: Calls = ()
    asked: Texts | None = None
    output: JsonValue = None
    judge: str | None = None

    @model_validator(mode="after")
    def _any(self) -> "Expected":
        if not self.model_fields_set:
            raise ValueError("nothing is expected")
        return self


class EvaluationCase(_Strict):
    """One message, and what is expected of the run. `approve`: what the user says when asked."""

    name: Annotated[str, Field(min_length=1)]
    text: str
    history: tuple[Said, ...] = ()
    approve: bool | None = None
    expect: Expected


class CaseFile(_Strict):
    """All cases of a file."""

    cases: Annotated[tuple[EvaluationCase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names(self) -> "CaseFile":
        names = [case.name for case in self.cases]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"cases named twice: {', '.join(twice)}")
        return self


def read_cases(path: Path) -> tuple[EvaluationCase, ...]:
    """The cases of a file. Raises `CannotEvaluate`, which names the file and the first thing that is wrong in it."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except OSError as error:
        raise CannotEvaluate(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CannotEvaluate(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    try:
        return CaseFile.model_validate(content).cases
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise CannotEvaluate(f"{path}: {place + ': ' if place else ''}{first['msg']}{more}") from error
