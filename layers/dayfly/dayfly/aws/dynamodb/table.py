"""The `Table` port over DynamoDB.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html and the pages of
PutItem, DeleteItem, GetItem, BatchGetItem and Query beside it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from dayfly.aws.calls import Pool, code_of, jittered, translated
from dayfly.aws.dynamodb.items import condition_of, key_of, to_item, to_key, to_row
from dayfly.errors import Unsettled
from dayfly.store.keys import Key
from dayfly.store.rows import Row
from dayfly.store.table import MAX_KEYS, Action, Check, ConditionsFailed, Delete, Put, RowT, Span, TableRefused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
        TransactWriteItemTypeDef,
    )

ResultT = TypeVar("ResultT")

LEASE_INDEX: Final = "leases"
MAX_ACTIONS: Final = 100
TOKEN_CHARS: Final = 36
_BATCH_ROUNDS: Final = 5
_BACKOFF_S: Final = 0.025


class DynamoTable:
    """One DynamoDB table with the keys `pk` and `sk` (strings) and the index `leases` (`lease_shard`, `due`).

    `client` lives as long as the process and carries no user's data; `pool` belongs to the invocation.
    """

    def __init__(self, client: "DynamoDBClient", name: str, pool: Pool) -> None:
        self._client = client
        self._name = name
        self._pool = pool

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        answer = await self._call(
            partial(self._client.get_item, TableName=self._name, Key=to_key(key), ConsistentRead=True)
        )
        item = answer.get("Item")
        return None if item is None else _of_kind(to_row(item), kind)

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        wanted = list(dict.fromkeys(keys))  # the same key twice is refused by DynamoDB
        if len(wanted) > MAX_KEYS:
            raise TableRefused(f"at most {MAX_KEYS} keys")
        if not wanted:
            return {}
        found: dict[Key, Row] = {}
        left: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef] = {
            self._name: {"Keys": [to_key(key) for key in wanted], "ConsistentRead": True}
        }
        for attempt in range(_BATCH_ROUNDS):
            answer = await self._call(partial(self._client.batch_get_item, RequestItems=left))
            rows = (to_row(item) for item in answer["Responses"].get(self._name, []))
            found.update((row.key, row) for row in rows)
            left = answer.get("UnprocessedKeys", {})
            if not left:
                return found
            # Over 16 MB, or throttled: the rest is asked for again, after a while.
            await asyncio.sleep(jittered(attempt, base=_BACKOFF_S, cap=1.0))
        raise Unsettled("UnprocessedKeys")

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        items = await self._query(span, limit=limit, descending=descending)
        return tuple(_of_kind(to_row(item), kind) for item in items)

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        return tuple(to_row(item) for item in await self._query(span, limit=limit, descending=False))

    async def write(self, *actions: Action, token: str | None = None) -> None:
        _require_legal(actions, token)
        if len(actions) == 1 and token is None:
            match actions[0]:
                case Put() as put:
                    return await self._put(put)
                case Delete() as delete:
                    return await self._delete(delete)
                case Check():
                    pass  # only a transaction can check without writing
        await self._transact(actions, token)
        return None

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        query = {
            "TableName": self._name,
            "IndexName": LEASE_INDEX,
            "KeyConditionExpression": "#shard = :shard AND #due < :before",
            "ProjectionExpression": "#pk, #sk",
            "ExpressionAttributeNames": {"#shard": "lease_shard", "#due": "due", "#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":before": {"N": str(before)}},
        }
        return tuple(key_of(item) for item in await self._pages(query, limit))

    async def _query(self, span: Span, *, limit: int, descending: bool) -> Sequence[Mapping[str, Any]]:
        if span.first > span.last:
            return ()  # DynamoDB refuses a BETWEEN whose bounds are crossed
        query = {
            "TableName": self._name,
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": {
                ":pk": {"S": span.pk},
                ":first": {"S": span.first},
                ":last": {"S": span.last},
            },
            "ConsistentRead": True,
            "ScanIndexForward": not descending,
        }
        return await self._pages(query, limit)

    async def _pages(self, query: dict[str, Any], limit: int) -> Sequence[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        start: Mapping[str, Any] | None = None
        while len(items) < limit:
            # A page ends at 1 MB, or at its limit; only the absence of LastEvaluatedKey is the end.
            page = {**query, "Limit": limit - len(items), **({"ExclusiveStartKey": start} if start else {})}
            answer = await self._call(partial(self._client.query, **page))
            items.extend(answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return items

    async def _put(self, put: Put) -> None:
        await self._single(
            partial(
                self._client.put_item,
                TableName=self._name,
                Item=to_item(put.row),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition_of(put.when),
            )
        )

    async def _delete(self, delete: Delete) -> None:
        await self._single(
            partial(
                self._client.delete_item,
                TableName=self._name,
                Key=to_key(delete.key),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition_of(delete.when),
            )
        )

    async def _single(self, call: Callable[[], object]) -> None:
        try:
            await self._pool.run(call)
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                raise ConditionsFailed({0: _row_in(error.response)}) from error
            raise translated(error, TableRefused) from error
        except BotoCoreError as error:
            raise translated(error, TableRefused) from error

    async def _transact(self, actions: Sequence[Action], token: str | None) -> None:
        request: dict[str, Any] = {"TransactItems": [self._transact_item(action) for action in actions]}
        if token is not None:
            request["ClientRequestToken"] = token
        try:
            await self._pool.run(partial(self._client.transact_write_items, **request))
        except ClientError as error:
            if code_of(error) == "TransactionCanceledException":
                raise _cancelled(error) from error
            raise translated(error, TableRefused) from error
        except BotoCoreError as error:
            raise translated(error, TableRefused) from error

    def _transact_item(self, action: Action) -> "TransactWriteItemTypeDef":
        common: dict[str, Any] = {"TableName": self._name, **condition_of(action.when)}
        if action.when is not None:
            common["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        item: dict[str, Any]
        match action:
            case Put():
                item = {"Put": {"Item": to_item(action.row), **common}}
            case Delete():
                item = {"Delete": {"Key": to_key(action.key), **common}}
            case Check():
                item = {"ConditionCheck": {"Key": to_key(action.key), **common}}
        return cast("TransactWriteItemTypeDef", item)

    async def _call(self, call: Callable[[], ResultT]) -> ResultT:
        try:
            return await self._pool.run(call)
        except (ClientError, BotoCoreError) as error:
            raise translated(error, TableRefused) from error


_SETTLING_REASONS: Final = frozenset({"None", "ConditionalCheckFailed"})
_REFUSING_REASONS: Final = frozenset({"ItemCollectionSizeLimitExceeded", "ValidationError"})


def _cancelled(error: ClientError) -> Exception:
    """What a cancelled transaction means to the core.

    Conditions failed only if nothing else went wrong. With a conflict or a throttle among the reasons, the conditions
    of those items were not looked at, and the core reads "not among the failed" as "holds": so that is unsettled, and
    the same transaction, sent again, will tell.
    """
    response: Mapping[str, Any] = error.response
    reasons = response.get("CancellationReasons", [])
    codes = [reason.get("Code", "None") for reason in reasons]
    if any(code in _REFUSING_REASONS for code in codes):
        return TableRefused(f"transaction cancelled: {codes}")
    failed = {place: _row_in(reasons[place]) for place, code in enumerate(codes) if code == "ConditionalCheckFailed"}
    if failed and all(code in _SETTLING_REASONS for code in codes):
        return ConditionsFailed(failed)
    return Unsettled(f"transaction cancelled: {codes}")


def _row_in(answer: Mapping[str, Any]) -> Row | None:
    item = answer.get("Item")
    return to_row(item) if item else None


def _of_kind(row: Row, kind: type[RowT]) -> RowT:
    if not isinstance(row, kind):
        raise TypeError(f"{row.key.sk} is a {type(row).__name__}, not a {kind.__name__}")
    return row


def _require_legal(actions: Sequence[Action], token: str | None) -> None:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise TableRefused(f"1 to {MAX_ACTIONS} actions, not {len(actions)}")
    if len({action.key for action in actions}) != len(actions):
        raise TableRefused("two actions on one key")
    if token is not None and not 1 <= len(token) <= TOKEN_CHARS:
        raise TableRefused(f"a token has 1 to {TOKEN_CHARS} characters")
