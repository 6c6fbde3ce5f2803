"""Logs and metrics of one function, opened for each invocation."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.settings import Settings
from dayfly.aws.telemetry.logs import Logs
from dayfly.aws.telemetry.meter import EmfMeter


class Telemetry:
    """Process-lived; nothing of one invocation is left for the next."""

    def __init__(self, settings: Settings) -> None:
        self.logs = Logs(service=settings.powertools_service_name, level=settings.powertools_log_level)
        self.meter = EmfMeter(service=settings.powertools_service_name)
        self._cold = True

    @contextmanager
    def invocation(self, context: LambdaContext, **ids: str) -> Iterator[None]:
        """Binds the ids to the logs, and writes the metrics out at the end, however it ends."""
        cold, self._cold = self._cold, False
        self.logs.start(function_request_id=context.aws_request_id, cold_start=cold)
        self.logs.bind(**ids)
        if cold:
            self.meter.cold_start(context)
        try:
            yield
        finally:
            self.meter.flush()
