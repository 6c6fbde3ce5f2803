"""The context object that Lambda gives a handler, as far as handlers here use it."""

from aws_lambda_powertools.utilities.typing import LambdaContext


class PlayedContext(LambdaContext):
    """An invocation with `remaining_ms` left."""

    def __init__(self, *, request_id: str = "7f1c0f0e-6a52-4d0b-9b67-6a3f8d2f4c11", remaining_ms: int = 60_000) -> None:
        self._aws_request_id = request_id
        self._function_name = "Function"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:Function"
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # declared static, and is not
        return self._remaining_ms
