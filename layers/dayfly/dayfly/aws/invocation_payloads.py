"""The payloads of Lambda functions of this backend, besides the gateway's events. What does not match is refused."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from dayfly.context.run_ref import RunRef
from dayfly.errors import DayflyError
from dayfly.runs.invoker import EngineCall


class UnreadablePayload(DayflyError):
    """An invocation with a payload that this backend does not send, or that AWS does not."""


class RunPayload(BaseModel):
    """Asks for one attempt of one run. It holds names only: the engine reads the rest from the table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["run"] = "run"
    user: str
    tenant: str
    thread_id: str
    run_id: str
    request_id: str
    agent: str
    attempt: Annotated[int, Field(ge=1)]
    first_seq: Annotated[int, Field(ge=2)]

    @classmethod
    def of(cls, call: EngineCall) -> "RunPayload":
        """The payload for the call."""
        return cls(
            user=call.user_id,
            tenant=call.tenant_id,
            thread_id=call.thread_id,
            run_id=call.run_id,
            request_id=call.request_id,
            agent=call.agent_name,
            attempt=call.attempt,
            first_seq=call.first_seq,
        )

    @property
    def ref(self) -> RunRef:
        """The run that it is about."""
        return RunRef(user_id=self.user, tenant_id=self.tenant, thread_id=self.thread_id, run_id=self.run_id)

    def call(self) -> EngineCall:
        """The call that this payload carried."""
        return EngineCall(
            ref=self.ref,
            request_id=self.request_id,
            agent_name=self.agent,
            attempt=self.attempt,
            first_seq=self.first_seq,
        )


class WarmUpPayload(BaseModel):
    """Has Lambda start an environment; nothing else is done."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["warm_up"] = "warm_up"


EnginePayload = Annotated[RunPayload | WarmUpPayload, Field(discriminator="kind")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class FailedInvocation(_Record):
    """Which invocation failed. `request_id` is that of Lambda; `condition` is `RetriesExhausted` (it ran and failed) or
    `EventAgeExceeded` (it never ran)."""

    request_id: str
    condition: str


class FunctionError(_Record):
    """The error of an invocation that ran: Lambda's own (`Sandbox.Timedout`), or what the handler has raised."""

    error_type: str = ""
    error_message: str = ""


class FailureNotice(_Record):
    """What Lambda sends to the on-failure destination of the engine function.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

    request_context: FailedInvocation
    request_payload: EnginePayload
    response_payload: FunctionError | None = None

    @property
    def timed_out(self) -> bool:
        """Whether Lambda killed the invocation at its time-out. Lambda has said so in one field or the other."""
        error = self.response_payload or FunctionError()
        return error.error_type == "Sandbox.Timedout" or "Task timed out after" in error.error_message

    @property
    def never_ran(self) -> bool:
        """Whether the event expired in Lambda's queue."""
        return self.request_context.condition == "EventAgeExceeded"


class ScheduledEvent(BaseModel):
    """The event of the schedule, which says only that it is time.

    Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-eventbridge-scheduler.html
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Literal["aws.events"]
    detail_type: Annotated[Literal["Scheduled Event"], Field(alias="detail-type")]


_ENGINE: Final[TypeAdapter[RunPayload | WarmUpPayload]] = TypeAdapter(EnginePayload)
_RECOVERY: Final[TypeAdapter[FailureNotice | ScheduledEvent]] = TypeAdapter(FailureNotice | ScheduledEvent)


def engine_payload(event: Any) -> RunPayload | WarmUpPayload:
    """What the engine function was invoked with. Raises `UnreadablePayload`."""
    try:
        return _ENGINE.validate_python(event)
    except ValidationError as error:
        raise UnreadablePayload(_places(error)) from error


def recovery_event(event: Any) -> FailureNotice | ScheduledEvent:
    """What the recovery function was invoked with. Raises `UnreadablePayload`."""
    try:
        return _RECOVERY.validate_python(event)
    except ValidationError as error:
        raise UnreadablePayload(_places(error)) from error


def _places(error: ValidationError) -> str:
    """The names of the fields that were wrong, without their values."""
    return ", ".join(".".join(map(str, one["loc"])) or one["type"] for one in error.errors())
