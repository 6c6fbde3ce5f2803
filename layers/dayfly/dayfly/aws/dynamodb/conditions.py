"""The port's conditions as DynamoDB condition expressions.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from typing import Any

from dayfly.aws.dynamodb.items import to_attribute
from dayfly.store.rows import attribute_name
from dayfly.store.table import Absent, Condition, Exists, Matches


def condition_of(when: Condition | None) -> dict[str, Any]:
    """The request parameters that state the condition. Names are always aliased: many are reserved words."""
    match when:
        case None:
            return {}
        case Absent():
            return {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": "pk"}}
        case Exists():
            return {"ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": {"#pk": "pk"}}
        case Matches():
            return _matches(when)


def _matches(when: Matches) -> dict[str, Any]:
    # Without the first term, `field=None` would hold where there is no row at all.
    terms = ["attribute_exists(#pk)"]
    names = {"#pk": "pk"}
    values: dict[str, Any] = {}
    for place, (field, value) in enumerate(when.fields.items()):
        names[f"#f{place}"] = attribute_name(field)
        if value is None:
            terms.append(f"attribute_not_exists(#f{place})")
        else:
            terms.append(f"#f{place} = :v{place}")
            values[f":v{place}"] = to_attribute(value)
    request: dict[str, Any] = {"ConditionExpression": " AND ".join(terms), "ExpressionAttributeNames": names}
    return {**request, "ExpressionAttributeValues": values} if values else request
