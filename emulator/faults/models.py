"""All the faults there are: a closed union of frozen models, which is also the JSON of the control endpoint.

`StandingFault`s wait for their moment and end after `count` times or `duration_s` seconds, whichever is first; with
neither they strike once. `Action`s happen at once. Times are in seconds.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from websockets.frames import EXTERNAL_CLOSE_CODES

Seconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Standing(_Model):
    count: Annotated[int, Field(gt=0)] | None = None
    duration_s: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] | None = None


class _OfConnection(_Standing):
    connection: str | None = None
    """The id of one connection; None means all."""


class _OfFunction(_Standing):
    function: str | None = None
    """The name of one function; None means all."""


class PostGone(_OfConnection):
    """A post is answered with 410 GoneException although the socket is open."""

    kind: Literal["post_gone"] = "post_gone"


class PostThrottled(_OfConnection):
    """A post is answered with 429 LimitExceededException and does not arrive."""

    kind: Literal["post_throttled"] = "post_throttled"


class PostDelayed(_OfConnection):
    """A post takes `delay_s` longer."""

    kind: Literal["post_delayed"] = "post_delayed"
    delay_s: Seconds


class IntegrationDelayed(_OfConnection):
    """The gateway waits `delay_s` before it calls the function of a route; the integration's time-out begins after."""

    kind: Literal["integration_delayed"] = "integration_delayed"
    delay_s: Seconds


class DisconnectLost(_OfConnection):
    """`$disconnect` is never delivered.

    AWS calls its delivery best-effort:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    """

    kind: Literal["disconnect_lost"] = "disconnect_lost"


class EventLost(_OfFunction):
    """An asynchronous invocation is accepted and never delivered."""

    kind: Literal["event_lost"] = "event_lost"


class EventDuplicated(_OfFunction):
    """An asynchronous invocation is delivered a second time with the same request id, `after_s` after the first.

    Lambda's queue is eventually consistent, so this is legal:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    kind: Literal["event_duplicated"] = "event_duplicated"
    after_s: Seconds = 0.0


class EventDelayed(_OfFunction):
    """An asynchronous invocation waits for `delay_s` before it is delivered."""

    kind: Literal["event_delayed"] = "event_delayed"
    delay_s: Seconds


class InvocationDelayed(_OfFunction):
    """An invocation of any kind waits `delay_s` before it begins, as if Lambda were slow to find it an environment."""

    kind: Literal["invocation_delayed"] = "invocation_delayed"
    delay_s: Seconds


class InvocationThrottled(_OfFunction):
    """An invocation is refused with 429 TooManyRequestsException; an asynchronous one waits and is tried again."""

    kind: Literal["invocation_throttled"] = "invocation_throttled"


class InvocationKilled(_OfFunction):
    """The environment gets SIGKILL `after_s` after an invocation began, if that still runs."""

    kind: Literal["invocation_killed"] = "invocation_killed"
    after_s: Seconds = 0.0


Operation = Literal[
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
]
"""The operations of DynamoDB that faults can strike: those on items."""


class _OfTable(_Standing):
    operation: Operation | None = None
    """None means all."""


class DynamoDbThrottled(_OfTable):
    """DynamoDB answers ProvisionedThroughputExceededException and does nothing."""

    kind: Literal["dynamodb_throttled"] = "dynamodb_throttled"


class DynamoDbAnswerLost(_OfTable):
    """DynamoDB does what was asked, and the connection breaks before it has answered."""

    kind: Literal["dynamodb_answer_lost"] = "dynamodb_answer_lost"


class CloseSockets(_Model):
    """At once: close open sockets from the server's side with `code` (RFC 6455 section 7.4) and `reason`."""

    kind: Literal["close_sockets"] = "close_sockets"
    connection: str | None = None
    code: Annotated[int, Field(ge=1000, le=4999)] = 1001
    reason: Annotated[str, Field(max_length=30)] = "Going away"

    @field_validator("code")
    @classmethod
    def _may_be_sent(cls, code: int) -> int:
        if code not in EXTERNAL_CLOSE_CODES and code < 3000:
            raise ValueError(f"no server may send {code}")
        return code


class KillEnvironments(_Model):
    """At once: SIGKILL to every environment of a function, or of all, busy or not."""

    kind: Literal["kill_environments"] = "kill_environments"
    function: str | None = None


ConnectionFault = PostGone | PostThrottled | PostDelayed | IntegrationDelayed | DisconnectLost
FunctionFault = EventLost | EventDuplicated | EventDelayed | InvocationDelayed | InvocationThrottled | InvocationKilled
TableFault = DynamoDbThrottled | DynamoDbAnswerLost
StandingFault = ConnectionFault | FunctionFault | TableFault
Action = CloseSockets | KillEnvironments

_ANY: TypeAdapter[StandingFault | Action] = TypeAdapter(
    Annotated[StandingFault | Action, Field(discriminator="kind")],
)
_STANDING: TypeAdapter[StandingFault] = TypeAdapter(Annotated[StandingFault, Field(discriminator="kind")])


class BadFault(ValueError):
    """The text describes no fault; the message says why in one line."""


def parse_fault(text: str | bytes) -> StandingFault | Action:
    """A fault or an action from its JSON. Raises `BadFault`."""
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        raise BadFault(explain(error)) from error


def parse_standing(text: str) -> StandingFault:
    """A standing fault from its JSON, for the command line, where there is nothing yet to act on. Raises `BadFault`."""
    try:
        return _STANDING.validate_json(text)
    except ValidationError as error:
        raise BadFault(explain(error)) from error


def explain(error: ValidationError) -> str:
    """What is wrong, in one line: `delay_s: Field required; speed: Extra inputs are not permitted`."""
    return "; ".join(
        ": ".join(part for part in (".".join(str(step) for step in each["loc"]), each["msg"]) if part)
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    )
