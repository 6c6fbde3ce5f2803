"""A hook into pydantic-ai's check of a call's arguments, which comes before the call is announced to anybody."""

import logging
from typing import Final

from pydantic import ValidationError
from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability, RawToolArgs, ValidatedToolArgs, WrapToolValidateHandler
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import ToolDefinition

_log: Final = logging.getLogger(__name__)


class ArgumentChecks(AbstractCapability[None]):
    """Has a validator of the developer's that raises what is no error of validation fail its call, not the run."""

    async def wrap_tool_validate(
        self,
        ctx: RunContext[None],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: RawToolArgs,
        handler: WrapToolValidateHandler,
    ) -> ValidatedToolArgs:
        """Checks the arguments. Raises `ModelRetry`, which the model is told, for what a validator raises."""
        del ctx, tool_def
        try:
            return await handler(args)
        except (ValidationError, ModelRetry):
            raise
        except Exception as error:
            if type(error).__module__.partition(".")[0] == "pydantic_ai":  # the library's own signals
                raise
            _log.exception("a validator failed", extra={"tool_name": call.tool_name})
            raise ModelRetry("The arguments could not be checked.") from error
