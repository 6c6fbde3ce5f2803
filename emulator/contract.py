"""What the two halves of the emulator, the gateway and Lambda with its state, say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class Invocation:
    """The result of a synchronous invocation.

    `payload` is the function's JSON answer, or AWS's error JSON `{"errorMessage", "errorType", ...}` when
    `function_error` is set, as the Invoke API returns them (body and `X-Amz-Function-Error`). `log` is the end of the
    invocation's log, at most 4 KB of it, if that was asked for.
    """

    payload: bytes
    function_error: Literal["Unhandled"] | None
    request_id: str
    log: bytes = b""


class LambdaRefusal(Exception):
    """Lambda refused the call before any code of the function ran."""


class SendFailed(Exception):
    """A queue or topic did not take a message; the text says why."""


ThrottleReason = Literal["ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"]


class Throttled(LambdaRefusal):
    """No environment is free under the account's limit or the function's own (429 TooManyRequestsException)."""

    def __init__(self, message: str, *, reason: ThrottleReason = "ConcurrentInvocationLimitExceeded") -> None:
        super().__init__(message)
        self.reason = reason


class FunctionNotFound(LambdaRefusal):
    """The application has no such function (404 ResourceNotFoundException)."""


class InvalidTenant(LambdaRefusal):
    """A tenant id is missing, not allowed, or outside its alphabet (400 InvalidParameterValueException)."""


class PayloadTooLarge(LambdaRefusal):
    """The payload is over 6 MB, or over 1 MB when asynchronous (413 RequestTooLargeException)."""


class InvalidPayload(LambdaRefusal):
    """The payload is not JSON (400 InvalidRequestContentException)."""


class Functions(Protocol):
    """Lambda as the gateway sees it. `function` is a name or a function ARN."""

    async def invoke(
        self,
        function: str,
        payload: bytes,
        *,
        tenant_id: str | None = None,
        client_context: str | None = None,
        tail: bool = False,
    ) -> Invocation:
        """Invoke and wait (`RequestResponse`). `client_context` is JSON; `tail` asks for the log. Raises a
        `LambdaRefusal`."""
        ...

    async def invoke_event(self, function: str, payload: bytes, *, tenant_id: str | None = None) -> str:
        """Queue an asynchronous invocation (`Event`); returns its request id. Raises a `LambdaRefusal`."""
        ...

    async def start(self) -> None:
        """Become ready."""
        ...

    async def stop(self) -> None:
        """End every environment; nothing is left behind."""
        ...


@dataclass(frozen=True)
class RouteSpec:
    """One route of a WebSocket API. `function` and `authorizer` are function names.

    `response`: the route is set up for two-way communication, so the function's answer is sent back. `timeout_s` is
    the integration's own time-out (0.05 to 29 s), None the default. `operation` is the OperationName.
    """

    route_key: str
    function: str
    authorizer: str | None
    response: bool = False
    timeout_s: float | None = None
    operation: str | None = None


@dataclass(frozen=True)
class Throttle:
    """At most `rate` requests a second on average and `burst` at once; None: the account's own."""

    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True)
class Throttling:
    """A stage's `DefaultRouteSettings`, and by route key its `RouteSettings`."""

    default: Throttle = Throttle()
    routes: Mapping[str, Throttle] = field(default_factory=dict)

    def of(self, route_key: str) -> Throttle:
        """What holds for a route: its own figures, the stage's for those it leaves out."""
        own = self.routes.get(route_key, Throttle())
        return Throttle(
            rate=self.default.rate if own.rate is None else own.rate,
            burst=self.default.burst if own.burst is None else own.burst,
        )


@dataclass(frozen=True)
class ApiSpec:
    """A WebSocket API with one stage. `route_selection` is an expression such as `$request.body.action`."""

    logical_id: str
    stage: str
    route_selection: str
    routes: tuple[RouteSpec, ...]
    identity_sources: tuple[str, ...]
    api_id: str
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    throttling: Throttling = Throttling()


@dataclass(frozen=True)
class FunctionSpec:
    """A function, as the resolved template says. A destination is a function name, or the ARN of a queue or topic;
    `dead_letter`, which gets the bare events that were given up, is the ARN of a queue or topic.

    `import_path` are the folders that hold its modules besides `code_dir`, in order: packages of `requirements.txt`,
    layers, what the runtime brings. Given, the function sees nothing else but the standard library; None means
    `layer_dirs`, and whatever the emulator itself can import.

    `passed` are variables that the developer's environment has for this function alone; they stand over all others.
    """

    logical_id: str
    name: str
    handler: str
    code_dir: Path
    layer_dirs: tuple[Path, ...]
    environment: Mapping[str, str]
    timeout_s: int
    memory_mb: int
    reserved_concurrency: int | None
    tenant_isolation: bool
    max_retries: int
    max_event_age_s: int
    on_failure: str | None
    log_format: Literal["Text", "JSON"] = "Text"
    log_level: str | None = None
    on_success: str | None = None
    dead_letter: str | None = None
    import_path: tuple[Path, ...] | None = None
    runtime: str = "python3.13"
    passed: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ScheduleSpec:
    """A rule that invokes `function` every `every_s` seconds; `payload` None means EventBridge's own event.

    With `cron`, the six fields of an EventBridge cron expression without `cron(...)`, it fires at those minutes of
    `timezone` instead, and `every_s` means nothing.
    """

    function: str
    every_s: float
    payload: str | None
    cron: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True)
class Application:
    """All the emulator runs of a template; `unsupported` has one line for each thing that it leaves out, `notes` one
    for each that runs and differs from AWS.

    `state_template` is a plain CloudFormation template (JSON) with the tables, queues and so on alone.
    """

    apis: tuple[ApiSpec, ...]
    functions: tuple[FunctionSpec, ...]
    schedules: tuple[ScheduleSpec, ...]
    unsupported: tuple[str, ...]
    state_template: str = ""
    notes: tuple[str, ...] = ()
