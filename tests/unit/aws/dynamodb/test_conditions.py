"""The port's conditions, as DynamoDB is asked them. (What they mean is in the contract suite.)"""

from typing import Any

import pytest

from dayfly.aws.dynamodb.items import condition_of
from dayfly.store.table import Absent, Condition, Exists, Matches

PK = {"#pk": "pk"}


@pytest.mark.parametrize(
    ("when", "asked"),
    [
        (None, {}),
        (Absent(), {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": PK}),
        (Exists(), {"ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": PK}),
        (Matches(), {"ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": PK}),
        (
            Matches(active_run=None),
            {
                "ConditionExpression": "attribute_exists(#pk) AND attribute_not_exists(#f0)",
                "ExpressionAttributeNames": {**PK, "#f0": "active_run"},
            },
        ),
        (
            Matches(version=7, active_run=None, state="live"),
            {
                "ConditionExpression": (
                    "attribute_exists(#pk) AND #f0 = :v0 AND attribute_not_exists(#f1) AND #f2 = :v2"
                ),
                "ExpressionAttributeNames": {**PK, "#f0": "version", "#f1": "active_run", "#f2": "state"},
                "ExpressionAttributeValues": {":v0": {"N": "7"}, ":v2": {"S": "live"}},
            },
        ),
    ],
    ids=repr,
)
def test_a_condition_as_it_is_asked(when: Condition | None, asked: dict[str, Any]) -> None:
    """Names are aliased, values typed; a field is only compared where there is a row, and one without a value must not
    be there."""
    assert condition_of(when) == asked
