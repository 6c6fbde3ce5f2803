"""From a developer's function to a tool that the model library can call."""

import asyncio
import contextlib
import functools
import inspect
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Annotated, Any

from pydantic import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_ai import RunContext
from pydantic_ai import Tool as LibraryTool
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import BinaryContent

from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.tool_context import ToolContext, ToolFunction
from dayfly.agents.tool_threads import run_in_thread
from dayfly.errors import ConfigurationError

Call = Callable[[ToolContext], Awaitable[object]]
"""A tool's function with its arguments bound."""

Result = str | list[str | BinaryContent]
"""A result as the library takes it: text, and files that the model can look at."""

Invoke = Callable[[RunContext[None], Call], Awaitable[Result]]
"""Carries out one call and returns the result (`LoopHooks.call_tool`)."""


def build_tool(tool: Tool, invoke: Invoke) -> LibraryTool[None]:
    """Makes the library's tool of a developer's, for one run.

    The model sees the function's name, docstring and parameters, without a `ToolContext`.

    Args:
        tool: The developer's.
        invoke: Carries out each call.

    Raises:
        ConfigurationError: The signature cannot be shown to a model.
    """
    function, name = tool.function, tool.name
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        signature = inspect.signature(function)
    except (NameError, TypeError, ValueError) as error:
        raise ConfigurationError(f"the tool {name}: its type hints cannot be read: {error}") from error
    parameters = list(signature.parameters.values())
    takes_context = bool(parameters) and hints.get(parameters[0].name) is ToolContext
    shown = parameters[1:] if takes_context else parameters
    _check(name, shown, hints)
    shown = [_required_by_field(parameter, hints) for parameter in shown]
    fields = {one.name: one.default for one in shown if isinstance(one.default, FieldInfo)}

    # What the model leaves out is not for the function to fill in: its default would be the `Field` itself.
    async def call(run_context: RunContext[None], /, **arguments: Any) -> Result:
        def bound(context: ToolContext) -> Awaitable[object]:
            left_out = {name: field for name, field in fields.items() if name not in arguments}
            given = {name: field.get_default(call_default_factory=True) for name, field in left_out.items()}
            return _start(function, context, (context,) if takes_context else (), given | arguments)

        return await invoke(run_context, bound)

    # pydantic-ai reads a tool's schema off its signature, hints and docstring: show it the function's own.
    context_parameter = inspect.Parameter("run_context", inspect.Parameter.POSITIONAL_ONLY)
    call.__name__ = call.__qualname__ = name
    call.__module__ = function.__module__
    call.__doc__ = function.__doc__
    call.__annotations__ = {parameter.name: hints[parameter.name] for parameter in shown} | {"return": str}
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]  # PEP 362
        parameters=[context_parameter, *shown], return_annotation=str
    )
    try:
        return LibraryTool(call, takes_ctx=True, name=name, requires_approval=tool.requires_approval)
    except (UserError, PydanticUserError) as error:
        raise ConfigurationError(f"the tool {name} has a parameter that no model can write: {error}") from error


async def _start(
    function: ToolFunction, context: ToolContext, first: tuple[ToolContext, ...], arguments: dict[str, Any]
) -> object:
    call: Callable[[], Any] = functools.partial(function, *first, **arguments)
    if inspect.iscoroutinefunction(function):
        return await call()
    if inspect.isasyncgenfunction(function):
        return await _last_of(call(), context)
    if inspect.isgeneratorfunction(function):
        call = functools.partial(_last_in_thread, call, context)
    result = await run_in_thread(call, name=function.__name__)
    # A decorator around an async function, or around a generator, may be a plain function that hands it on.
    if inspect.isasyncgen(result):
        return await _last_of(result, context)
    if inspect.isgenerator(result):
        return await run_in_thread(functools.partial(_last_in_thread, lambda: result, context), name=function.__name__)
    return await result if asyncio.iscoroutine(result) else result


async def _last_of(values: AsyncGenerator[object, Any], context: ToolContext) -> object:
    """The last value; each text among them is told as it comes."""
    last: object = None
    async with contextlib.aclosing(values):
        async for last in values:
            if isinstance(last, str):
                await context.progress(last)
    return last


def _last_in_thread(call: Callable[[], Iterable[object]], context: ToolContext) -> object:
    last: object = None
    for last in call():
        if isinstance(last, str):
            context.progress(last)
    return last


def _check(name: str, parameters: list[inspect.Parameter], hints: dict[str, object]) -> None:
    for parameter in parameters:
        if parameter.kind not in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
            raise ConfigurationError(f"the tool {name}: a model can fill in named parameters only, not *{parameter}")
        if parameter.name not in hints:
            raise ConfigurationError(f"the tool {name}: the parameter {parameter.name} has no type hint")
        if hints[parameter.name] is ToolContext:
            raise ConfigurationError(f"the tool {name}: a ToolContext is the first parameter or none")


def _required_by_field(parameter: inspect.Parameter, hints: dict[str, object]) -> inspect.Parameter:
    """The parameter; one whose default is a pydantic `Field` without a default has none, and the field in its hint."""
    field = parameter.default
    if not isinstance(field, FieldInfo) or not field.is_required():
        return parameter
    hints[parameter.name] = Annotated[hints[parameter.name], field]
    return parameter.replace(default=inspect.Parameter.empty)
