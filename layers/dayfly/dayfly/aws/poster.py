"""The `Poster` port over API Gateway's management API.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from dayfly.aws.calls import Pool, jittered, status_of, translated
from dayfly.clock import Clock
from dayfly.errors import Gone, PostRefused, Unsettled
from dayfly.metrics import Meter, Metric

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

ATTEMPTS: Final = 8
_BASE_S: Final = 0.05
_CAP_S: Final = 1.0


class ApiGatewayPoster:
    """Posts frames with `PostToConnection`. A frame that is throttled is posted again after a jittered wait, `ATTEMPTS`
    times at most, which takes some 2 seconds in all. `client` should have no retries of its own."""

    def __init__(self, client: "ApiGatewayManagementApiClient", pool: Pool, *, clock: Clock, meter: Meter) -> None:
        self._client = client
        self._pool = pool
        self._clock = clock
        self._meter = meter

    async def post(self, connection_id: str, frame: bytes) -> None:
        started = self._clock.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                await self._pool.run(partial(self._client.post_to_connection, ConnectionId=connection_id, Data=frame))
            except ClientError as error:
                if status_of(error) == 410:
                    self._meter.add(Metric.GONE_CONNECTIONS)
                    raise Gone(connection_id) from error
                last = translated(error, PostRefused)
                last.__cause__ = error
            except ReadTimeoutError as error:
                # It has waited long, and the frame may well have arrived.
                raise Unsettled("ReadTimeoutError") from error
            except BotoCoreError as error:
                last = translated(error, PostRefused)
                last.__cause__ = error
            else:
                self._meter.add(Metric.POST_LATENCY, (self._clock.monotonic() - started) * 1000)
                return
            if not isinstance(last, Unsettled) or attempt == ATTEMPTS - 1:
                raise last
            await asyncio.sleep(jittered(attempt, base=_BASE_S, cap=_CAP_S))
