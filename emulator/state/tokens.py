"""ClientRequestToken of TransactWriteItems, which moto ignores.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


class ParameterMismatch(Exception):
    """A token came back with another request (IdempotentParameterMismatchException)."""


@dataclass(frozen=True)
class _Done:
    digest: bytes
    until: float


@dataclass(frozen=True)
class Transaction:
    """The token of a request and a digest of all else that counts."""

    token: str
    digest: bytes

    @classmethod
    def of(cls, body: bytes) -> "Transaction | None":
        """Read a request's body; None without a token."""
        try:
            request = json.loads(body)
        except ValueError:
            return None
        token = request.get("ClientRequestToken") if isinstance(request, dict) else None
        if not isinstance(token, str):
            return None
        items = json.dumps(request.get("TransactItems"), sort_keys=True).encode()
        return cls(token, hashlib.sha256(items).digest())


class Tokens:
    """The tokens of transactions that succeeded, for `keep_s` seconds each. A failed one does not use its token up."""

    def __init__(self, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._clock = clock
        self._done: OrderedDict[str, _Done] = OrderedDict()

    def is_done(self, transaction: Transaction) -> bool:
        """Whether this very request has succeeded before. Raises `ParameterMismatch` if the token's was another."""
        self._forget_old()
        done = self._done.get(transaction.token)
        if done is None:
            return False
        if done.digest != transaction.digest:
            raise ParameterMismatch(transaction.token)
        return True

    def remember(self, transaction: Transaction) -> None:
        """The transaction has succeeded."""
        self._done[transaction.token] = _Done(transaction.digest, self._clock() + self._keep_s)

    def _forget_old(self) -> None:
        now = self._clock()
        while self._done and next(iter(self._done.values())).until <= now:
            self._done.popitem(last=False)
