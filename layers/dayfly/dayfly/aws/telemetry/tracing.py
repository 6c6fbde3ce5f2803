"""X-Ray: the run and the thread as annotations, by which traces are found.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-segment.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from aws_lambda_powertools import Tracer

DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"
TRACE: Final = "_X_AMZN_TRACE_ID"


class Tracing:
    """Annotates the invocation's trace, where there is a daemon to send it to and an invocation that is traced;
    elsewhere it does nothing. `environ` is looked at for each invocation: the runtime client sets the trace there."""

    def __init__(self, environ: Mapping[str, str], *, service: str) -> None:
        self._environ = environ
        self._tracer = Tracer(service=service, auto_patch=False, disabled=DAEMON not in environ)

    @contextmanager
    def step(self, name: str, **annotations: str) -> Iterator[None]:
        """A subsegment: Lambda's own segment takes no annotations."""
        if TRACE not in self._environ:
            yield
            return
        with self._tracer.provider.in_subsegment(name=name):
            for key, value in annotations.items():
                self._tracer.put_annotation(key, value)
            yield
