"""The `Meter` port over CloudWatch's embedded metric format: metrics are log lines, so measuring costs no call.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections import defaultdict
from typing import Final

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.errors import ErrorCode
from dayfly.metrics import TIMES, Metric

NAMESPACE: Final = "Dayfly"
CODE: Final = "code"


class EmfMeter:
    """Gathers an invocation's measurements and writes them out at its end, as one line for each set of dimensions.

    Dimensions are the service, and for failed runs, in a second series, the closed list of codes; never an id, since
    each combination of values is a metric that is paid for.
    """

    def __init__(self, *, service: str) -> None:
        self._service = service
        self._taken: list[tuple[Metric, float, ErrorCode | None]] = []

    def add(self, metric: Metric, value: float = 1, *, code: ErrorCode | None = None) -> None:
        self._taken.append((metric, value, code))  # one append: other threads measure too

    def flush(self) -> None:
        """Writes out what was measured and forgets it."""
        taken, self._taken = self._taken, []
        if not taken:
            return
        total = self._series()
        by_code: defaultdict[ErrorCode, list[tuple[Metric, float]]] = defaultdict(list)
        for metric, value, code in taken:
            total.add_metric(metric.value, _unit(metric), value)
            if code is not None:
                by_code[code].append((metric, value))
        _write(total)
        for code, failures in by_code.items():
            series = self._series()
            series.add_dimension(CODE, code.value)
            for metric, value in failures:
                series.add_metric(metric.value, _unit(metric), value)
            _write(series)

    def cold_start(self, context: LambdaContext) -> None:
        """Writes out at once that this invocation began with a cold start, as Powertools does."""
        self._series().add_cold_start_metric(context)

    def _series(self) -> AmazonCloudWatchEMFProvider:
        return AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=self._service)


def _unit(metric: Metric) -> str:
    return "Milliseconds" if metric in TIMES else "Count"


def _write(series: AmazonCloudWatchEMFProvider) -> None:
    # A full set (100 values) has been written out already when its last value came.
    if series.metric_set:
        series.flush_metrics()
