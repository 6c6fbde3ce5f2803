"""How this library calls AWS: short time-outs, few hidden retries, blocking clients in a bounded pool of threads."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from dayfly.errors import DayflyError, Unsettled

ResultT = TypeVar("ResultT")

POOL_THREADS: Final = 16
"""Threads of one invocation's pool, and connections that each client keeps open."""


def client_config(*, read_timeout: float = 5.0, attempts: int = 2) -> Config:
    """The settings of a client. `read_timeout` in seconds; `attempts` includes the first.

    The core repeats what is unsettled itself, with the same bytes and its own bound of time, so botocore's own
    retries stay few. Keep-alive holds connections over a frozen environment as far as the network does.
    Source: https://docs.aws.amazon.com/boto3/latest/guide/retries.html
    """
    return Config(
        connect_timeout=1.0,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL_THREADS,
        tcp_keepalive=True,
    )


class Pool:
    """A bounded pool of threads for blocking calls, open for the time of one invocation: `with pool: ...`.

    The object lives as long as the process, so that clients and factories can hold it; its threads do not. Leaving the
    block waits for the calls under way, so that no thread outlives the handler and thaws in another invocation.
    """

    def __init__(self, *, threads: int = POOL_THREADS) -> None:
        self._threads = threads
        self._executor: ThreadPoolExecutor | None = None

    def __enter__(self) -> "Pool":
        if self._executor is not None:
            raise RuntimeError("the pool is open already; an environment has one invocation at a time")
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="aws")
        return self

    def __exit__(self, *exc_info: object) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    async def run(self, call: Callable[[], ResultT]) -> ResultT:
        """The call's result, or what it raised, for whichever event loop asks. A cancelled wait does not stop the
        call."""
        if self._executor is None:
            raise RuntimeError("the pool is closed: a call outlived its invocation")
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def jittered(attempt: int, *, base: float, cap: float) -> float:
    """Seconds to wait before the next attempt: "full jitter", so that those who were throttled together part.

    Args:
        attempt: Counts from 0.
        base: The longest wait before attempt 0, in seconds; doubled for each attempt after it.
        cap: The longest wait before any, in seconds.

    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    return random.uniform(0, min(cap, base * 2**attempt))  # noqa: S311  # spreads load, guards nothing


LOST: Final = (BotoConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)
"""botocore's errors for no answer, half an answer, or one that cannot be read: whether the call was carried out is
unknown."""

_TRANSIENT_CODES: Final = frozenset(
    {
        "InternalServerError",
        "InternalServerErrorException",
        "InternalFailure",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def code_of(error: ClientError) -> str:
    """AWS's name of the error, such as `GoneException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer, 0 if it is not known."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_transient(error: ClientError) -> bool:
    """Whether the same call may succeed later.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    return code_of(error) in _TRANSIENT_CODES or status_of(error) >= 500 or status_of(error) == 429


def translated(error: Exception, refused: type[DayflyError]) -> DayflyError:
    """The port's error for one of botocore's: `Unsettled`, or `refused` for what repeating will not mend.

    Neither carries AWS's message to a client: it stays in the cause.
    """
    if isinstance(error, ClientError):
        name = code_of(error) or "ClientError"
        return Unsettled(name) if is_transient(error) else refused(name)
    return Unsettled(type(error).__name__) if isinstance(error, LOST) else refused(type(error).__name__)
