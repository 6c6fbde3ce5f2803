"""An agent's instructions for one attempt, where they are a function as where they are a text."""

import functools
import inspect
from collections.abc import Awaitable

from dayfly.agents.sdk.agent_context import AgentContext, Instructions
from dayfly.agents.sdk.protocol import Turn
from dayfly.agents.tool_threads import run_in_thread
from dayfly.errors import AgentFailed, DayflyError
from dayfly.text import sanitize


async def instructions_for(turn: Turn, instructions: str | Instructions) -> str:
    """The instructions of this attempt. A plain function runs in a thread, since it may block.

    Raises:
        AgentFailed: The function raised an error, or gave no text.
    """
    if isinstance(instructions, str):
        return instructions
    context = AgentContext.of(turn)
    try:
        if inspect.iscoroutinefunction(instructions):
            given: object = await instructions(context)
        else:
            given = await run_in_thread(functools.partial(instructions, context), name="instructions")
            given = await given if isinstance(given, Awaitable) else given
    except DayflyError:
        raise
    except Exception as error:
        raise AgentFailed("The agent's instructions could not be made.") from error
    if not isinstance(given, str) or not given.strip():
        raise AgentFailed("The agent's instructions are a function that gave no text.")
    return sanitize(given)
