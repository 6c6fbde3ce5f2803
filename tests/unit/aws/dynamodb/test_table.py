"""What the table adapter makes of DynamoDB's errors. Answers are the documented ones, given by botocore's stubber."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from dayfly.aws.calls import Pool, client_config
from dayfly.aws.dynamodb.items import to_item
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.errors import DayflyError, Unsettled
from dayfly.store.rows import NoteRow
from dayfly.store.table import Absent, Action, Check, ConditionsFailed, Delete, Exists, Put, TableRefused
from tests.contract import rows

HELD, NONE, CONFLICT = "ConditionalCheckFailed", "None", "TransactionConflict"


@contextmanager
def stubbed_table(endpoint: str | None = None, *, name: str = "dayfly") -> Iterator[tuple[DynamoTable, Stubber]]:
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        endpoint_url=endpoint,
        config=client_config(attempts=1, read_timeout=0.2),
    )
    with Pool(threads=1) as pool:
        yield DynamoTable(client, name, pool), Stubber(client)
    client.close()


async def outcome_of_transaction(*codes: str) -> DayflyError:
    reasons: list[dict[str, Any]] = [{"Code": code} for code in codes]
    for reason in reasons:
        if reason["Code"] == HELD:
            reason["Item"] = to_item(rows.note("there"))
    with stubbed_table() as (table, stubber), stubber:
        stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            http_status_code=400,
            modeled_fields={"CancellationReasons": reasons},
        )
        with pytest.raises(DayflyError) as raised:
            await table.write(Put(rows.thread(), Absent()), Check(rows.note("there").key, Absent()))
    return raised.value


async def test_only_failed_conditions_are_failed_conditions() -> None:
    """A cancellation by conditions alone says which failed and what is there."""
    error = await outcome_of_transaction(NONE, HELD)
    assert isinstance(error, ConditionsFailed)
    assert error.found == {1: rows.note("there")}


@pytest.mark.parametrize(
    "codes",
    [
        (NONE, CONFLICT),
        (HELD, CONFLICT),
        (CONFLICT, HELD),
        (HELD, "ThrottlingError"),
        (HELD, "ProvisionedThroughputExceeded"),
        (NONE, "SomethingNew"),
        (NONE, NONE),
    ],
)
async def test_a_conflict_or_throttle_settles_nothing(codes: tuple[str, str]) -> None:
    """Whatever else was reported with it: the conditions of the conflicting item were not looked at."""
    assert isinstance(await outcome_of_transaction(*codes), Unsettled)


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
async def test_a_transaction_that_can_never_succeed_is_refused(code: str) -> None:
    """A reason that stays the same however often the transaction is sent is no conflict."""
    assert isinstance(await outcome_of_transaction(NONE, code), TableRefused)


async def test_a_cancellation_without_reasons_settles_nothing() -> None:
    """Where AWS does not say what went wrong, nothing is taken for a failed condition."""
    with stubbed_table() as (table, stubber), stubber:
        stubber.add_client_error("transact_write_items", "TransactionCanceledException", http_status_code=400)
        with pytest.raises(Unsettled, match=r"transaction cancelled: \[\]"):
            await table.write(Check(rows.note("k").key, Exists()))


async def test_an_item_without_a_code_is_none_that_failed() -> None:
    """A reason may be empty for the items with which all was well."""
    with stubbed_table() as (table, stubber), stubber:
        reasons = [{}, {"Code": HELD}]
        stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            http_status_code=400,
            modeled_fields={"CancellationReasons": reasons},
        )
        with pytest.raises(ConditionsFailed) as raised:
            await table.write(Put(rows.thread(), Absent()), Check(rows.note("there").key, Exists()))
    assert raised.value.found == {1: None}


@pytest.mark.parametrize("there", [None, rows.note("k")], ids=["nothing", "a row"])
async def test_a_failed_condition_of_a_single_write(there: NoteRow | None) -> None:
    """It says which row stands in the way, if one does."""
    with stubbed_table() as (table, stubber), stubber:
        stubber.add_client_error(
            "put_item",
            "ConditionalCheckFailedException",
            http_status_code=400,
            modeled_fields={"Item": to_item(there)} if there else {},
        )
        with pytest.raises(ConditionsFailed) as raised:
            await table.write(Put(rows.note("k"), Absent()))
    assert raised.value.found == {0: there}


TRANSIENT = [
    ("TransactionInProgressException", 400),
    ("TransactionConflictException", 400),
    ("ProvisionedThroughputExceededException", 400),
    ("ThrottlingException", 400),
    ("RequestLimitExceeded", 400),
    ("InternalServerError", 500),
    ("ServiceUnavailable", 503),
    ("AnythingElse", 502),
]
LASTING = [
    ("ValidationException", 400),
    ("ResourceNotFoundException", 400),
    ("AccessDeniedException", 400),
    ("IdempotentParameterMismatchException", 400),
    ("UnrecognizedClientException", 400),
]


@pytest.mark.parametrize(("code", "status"), TRANSIENT)
async def test_transient_errors_are_unsettled(code: str, status: int) -> None:
    """Errors that AWS says to try again settle nothing, for reads, single writes and transactions."""
    assert {type(error) for error in await errors_of_all_calls(code, status)} == {Unsettled}


@pytest.mark.parametrize(("code", "status"), LASTING)
async def test_lasting_errors_are_refusals(code: str, status: int) -> None:
    """Errors that a repeat will meet again are not called unsettled: nobody would ever stop repeating."""
    assert {type(error) for error in await errors_of_all_calls(code, status)} == {TableRefused}


async def errors_of_all_calls(code: str, status: int) -> list[DayflyError]:
    key = rows.note("k").key
    errors: list[DayflyError] = []
    with stubbed_table() as (table, stubber), stubber:
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get_item": lambda: table.get(key, NoteRow),
            "batch_get_item": lambda: table.get_many([key]),
            "query": lambda: table.due_leases("0", before=1, limit=1),
            "put_item": lambda: table.write(Put(rows.note("k"))),
            "transact_write_items": lambda: table.write(Check(key, Exists())),
        }
        for method, call in calls.items():
            stubber.add_client_error(method, code, http_status_code=status)
            with pytest.raises(DayflyError) as raised:
                await call()
            errors.append(raised.value)
    return errors


async def test_no_answer_is_unsettled() -> None:
    """A connection that cannot be made says nothing about the write."""
    with stubbed_table("http://127.0.0.1:9") as (table, _), pytest.raises(Unsettled):
        await table.write(Put(rows.note("k")))


async def test_what_no_call_can_say_is_a_refusal() -> None:
    """A request that botocore itself will not send is not called unsettled, whichever call it is."""
    key = rows.note("k").key
    with stubbed_table(name="") as (table, _):
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: table.get(key, NoteRow),
            lambda: table.write(Put(rows.note("k"))),
            lambda: table.write(Delete(key)),
            lambda: table.write(Check(key, Exists())),
        ]
        for call in calls:
            with pytest.raises(TableRefused, match=r"^ParamValidationError$"):
                await call()


async def test_a_transaction_without_an_answer_is_unsettled() -> None:
    """Likewise where it is several writes at once."""
    with stubbed_table("http://127.0.0.1:9") as (table, _), pytest.raises(Unsettled):
        await table.write(Put(rows.note("k")), Delete(rows.note("l").key))


async def test_what_may_be_asked_on_both_sides() -> None:
    """A hundred actions, a token of 1 to 36 characters and a key once are sent; anything else is refused unsent."""
    notes: list[Action] = [Put(rows.note(str(number))) for number in range(101)]
    with stubbed_table() as (table, stubber), stubber:
        for actions, token in ((notes[:100], None), (notes[:1], "t"), (notes[:1], "t" * 36)):
            stubber.add_response("transact_write_items", {})
            await table.write(*actions, token=token)
        stubber.assert_no_pending_responses()
        for actions, token, why in (
            (notes, None, "1 to 100 actions"),
            ([], None, "1 to 100 actions"),
            (notes[:1], "", "1 to 36 characters"),
            (notes[:1], "t" * 37, "1 to 36 characters"),
            ([notes[0], Delete(notes[0].key)], None, "two actions on one key"),
        ):
            with pytest.raises(TableRefused, match=why):
                await table.write(*actions, token=token)
        stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}})
        assert await table.get_many([note.key for note in notes[:100]] * 2) == {}
        with pytest.raises(TableRefused, match="100 keys"):
            await table.get_many([note.key for note in notes])


async def test_unprocessed_keys_are_asked_for_again() -> None:
    """Keys that a batch left out are asked for in the next one, and what came is kept."""
    first, second = rows.note("1"), rows.note("2")
    left = {"dayfly": {"Keys": [{"pk": {"S": second.key.pk}, "sk": {"S": second.key.sk}}], "ConsistentRead": True}}
    with stubbed_table() as (table, stubber), stubber:
        stubber.add_response("batch_get_item", {"Responses": {"dayfly": [to_item(first)]}, "UnprocessedKeys": left})
        stubber.add_response(
            "batch_get_item",
            {"Responses": {"dayfly": [to_item(second)]}, "UnprocessedKeys": {}},
            {"RequestItems": left},
        )
        assert await table.get_many([first.key, second.key]) == {first.key: first, second.key: second}
        stubber.assert_no_pending_responses()


async def test_unprocessed_keys_for_ever_are_unsettled() -> None:
    """A table that never gives the rest is a throttled one."""
    left = {"dayfly": {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "s"}}]}}
    with stubbed_table() as (table, stubber), stubber:
        for _ in range(5):
            stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
        with pytest.raises(Unsettled):
            await table.get_many([rows.note("1").key])
