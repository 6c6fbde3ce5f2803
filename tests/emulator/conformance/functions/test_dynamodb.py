"""DynamoDB under concurrency, as functions see it: over moto, and over DynamoDB Local if the machine has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, fresh
from tests.emulator.conformance.target import ADDRESS, serving

JAR = os.environ.get("DYNAMODB_LOCAL_JAR", "")
ENGINES = ["moto", "local"] if JAR and not ADDRESS else ["moto"]


@pytest.fixture(scope="module", params=ENGINES)
def tables(request: pytest.FixtureRequest) -> Iterator[Application]:
    """The application; over DynamoDB Local it is one of its own."""
    if request.param == "moto":
        app: Application = request.getfixturevalue("app")
        yield app
    else:
        with serving("functions", "--dynamodb-jar", JAR) as target:
            yield Application(target)


def call(tables: Application, operation: str, *, patient: bool = False, **arguments: Any) -> Any:
    """One request to DynamoDB from within a function."""
    return tables.store({"call": operation, "arguments": arguments, "patient": patient})


def transact(tables: Application, key: str, token: str, amount: int = 1, *, patient: bool = False) -> str:
    """A transaction that adds to the number under a key: `done`, or the code of the refusal."""
    update = {
        "TableName": "$TABLE",
        "Key": {"key": {"S": key}},
        "UpdateExpression": "ADD amount :more",
        "ExpressionAttributeValues": {":more": {"N": str(amount)}},
    }
    answer = call(
        tables, "transact_write_items", patient=patient, TransactItems=[{"Update": update}], ClientRequestToken=token
    )
    return str(answer.get("refused", "done"))


def amount(tables: Application, key: str) -> int:
    """The number under a key."""
    item = call(tables, "get_item", TableName="$TABLE", Key={"key": {"S": key}}, ConsistentRead=True).get("Item")
    return int(item["amount"]["N"]) if item else 0


@fact("D1", sources.UPDATE)
def test_no_update_is_lost(tables: Application) -> None:
    """Numbers added at the same time by several functions add up: no acknowledged write is lost."""
    key = fresh()
    adding = partial(tables.invoke, "store", {"add": key, "times": 25})
    done = sum(answer.value for answer in tables.together([adding] * 4))
    assert amount(tables, key) == done == 100


@fact("D2", sources.TRANSACTIONS)
def test_transactions_are_all_or_nothing(tables: Application) -> None:
    """Of transactions at the same time, half of which fail, the acknowledged ones are there whole, the others not."""
    key = fresh()
    pairing = partial(tables.invoke, "store", {"pairs": key, "times": 20})
    done = sum(answer.value for answer in tables.together([pairing] * 4))
    assert done
    assert amount(tables, f"{key} left") == amount(tables, f"{key} right") == done


@fact("D3", sources.TRANSACTIONS)
def test_failing_transactions_undo_nothing_else(tables: Application) -> None:
    """A transaction that fails takes nothing back of what others wrote meanwhile."""
    key = fresh()
    adding = partial(tables.invoke, "store", {"add": f"{key} left", "times": 25})
    pairing = partial(tables.invoke, "store", {"pairs": key, "times": 20})
    added, paired, *_ = (answer.value for answer in tables.together([adding, pairing]))
    assert amount(tables, f"{key} left") == added + paired


@fact("D4", sources.TRANSACT)
def test_a_token_makes_a_transaction_idempotent(tables: Application) -> None:
    """A transaction sent again with its ClientRequestToken succeeds and writes nothing a second time."""
    key, token = fresh(), fresh()
    assert [transact(tables, key, token) for _ in range(2)] == ["done", "done"]
    assert amount(tables, key) == 1


@fact("D5", sources.TRANSACT)
def test_a_token_is_of_one_request(tables: Application) -> None:
    """The same token with other content is an IdempotentParameterMismatchException."""
    key, token = fresh(), fresh()
    assert transact(tables, key, token) == "done"
    assert transact(tables, key, token, 2) == "IdempotentParameterMismatchException"
    assert amount(tables, key) == 1


@fact("D6", sources.CONDITIONS)
def test_one_of_several_wins(tables: Application) -> None:
    """Of several conditional puts of one key at the same time exactly one succeeds."""
    put = {
        "TableName": "$TABLE",
        "Item": {"key": {"S": fresh()}},
        "ConditionExpression": "attribute_not_exists(#k)",
        "ExpressionAttributeNames": {"#k": "key"},
    }
    asking = partial(tables.invoke, "store", {"call": "put_item", "arguments": put})
    answers = [answer.value for answer in tables.together([asking] * 6)]
    assert sorted(answers, key=len) == [{}, *[{"refused": "ConditionalCheckFailedException"}] * 5]


@fact("D7", sources.TABLE_ERRORS, local="a throttle cannot be ordered")
def test_a_throttled_write(tables: Application) -> None:
    """A throttled request is a ProvisionedThroughputExceededException and writes nothing."""
    key = fresh()
    tables.fault("dynamodb_throttled", operation="TransactWriteItems")
    assert transact(tables, key, fresh()) == "ProvisionedThroughputExceededException"
    assert amount(tables, key) == 0


@fact("D8", sources.TABLE_ERRORS, local="a throttle cannot be ordered")
def test_an_sdk_repeats_a_throttled_write(tables: Application) -> None:
    """The SDK repeats a throttled request, and the write is there once."""
    key = fresh()
    tables.fault("dynamodb_throttled", operation="TransactWriteItems", count=2)
    assert transact(tables, key, fresh(), patient=True) == "done"
    assert amount(tables, key) == 1


@fact("D9", sources.TRANSACT, local="a lost answer cannot be ordered")
def test_an_sdk_repeats_a_write_whose_answer_was_lost(tables: Application) -> None:
    """The SDK repeats a transaction whose answer was lost; by its token it is written once."""
    key = fresh()
    tables.fault("dynamodb_answer_lost", operation="TransactWriteItems")
    assert transact(tables, key, fresh(), patient=True) == "done"
    assert amount(tables, key) == 1
