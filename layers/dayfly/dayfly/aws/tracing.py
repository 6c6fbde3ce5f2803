"""X-Ray: the run and the thread as annotations, by which traces are found.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-segment.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from aws_lambda_powertools import Tracer

DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"


class Tracing:
    """Annotates the invocation's trace, where there is a daemon to send it to; elsewhere it does nothing."""

    def __init__(self, environ: Mapping[str, str], *, service: str) -> None:
        self._tracer = Tracer(service=service, auto_patch=False, disabled=DAEMON not in environ)

    @contextmanager
    def step(self, name: str, **annotations: str) -> Iterator[None]:
        """A subsegment: Lambda's own segment takes no annotations."""
        with self._tracer.provider.in_subsegment(name=name):
            for key, value in annotations.items():
                self._tracer.put_annotation(key, value)
            yield
