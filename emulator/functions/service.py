"""Lambda: what the gateway, the Invoke endpoint and the tests call."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import uuid4

from emulator.contract import (
    FunctionNotFound,
    FunctionSpec,
    InvalidPayload,
    InvalidTenant,
    Invocation,
    PayloadTooLarge,
    ScheduleSpec,
    Throttled,
)
from emulator.functions.call import Call, Outcome, new_trace_id
from emulator.functions.destinations import Destinations, EventRecord, Send
from emulator.functions.diagnostics import cannot_start, syntax_errors
from emulator.functions.environment import Environment
from emulator.functions.events import Event, EventQueue
from emulator.functions.faults import Faults, NoFaults
from emulator.functions.journal import Journal
from emulator.functions.lifecycle import InitFailed, TimedOut
from emulator.functions.log import Level, LogLine, LogSink, Report, Tail, print_line
from emulator.functions.options import EVENT_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES, LambdaLimits, LambdaOptions
from emulator.functions.pool import Pool
from emulator.functions.schedules import Schedules
from emulator.functions.source_watch import SourceWatch
from emulator.processes import Reaper

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-TenantId
_TENANT = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]{1,256}")


class LambdaService:
    """All functions of an application; implements `emulator.contract.Functions`.

    `extra` are environment variables that every function gets, above its own (endpoints). `reaper` must have been
    started and outlives the service.
    """

    def __init__(
        self,
        functions: Iterable[FunctionSpec],
        *,
        reaper: Reaper,
        schedules: Iterable[ScheduleSpec] = (),
        extra: Mapping[str, str] | None = None,
        options: LambdaOptions | None = None,
        log: LogSink = print_line,
        send: Send | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._specs = {spec.name: spec for spec in functions}
        self._options = options or LambdaOptions()
        self._log = log
        self._faults = faults or NoFaults()
        folders = [folder for spec in self._specs.values() for folder in (spec.code_dir, *spec.layer_dirs)]
        self._sources = SourceWatch(folders, changed=self._reloaded)
        self._pool = Pool(options=self._options, extra=extra or {}, log=log, reaper=reaper, sources=self._sources)
        destinations = Destinations(invoke=self._queue, send=send, lost=self._lost)
        self._events = EventQueue(
            options=self._options, faults=self._faults, run=self._run_event, conclude=destinations.hand_over
        )
        self._schedules = Schedules(schedules, options=self._options, fire=self._queue)
        self._running: set[asyncio.Task[Invocation]] = set()

    async def start(self) -> None:
        """Become ready; schedules begin to count."""
        await self._sources.start()
        await self._pool.start()
        self._schedules.start()

    async def stop(self) -> None:
        """End schedules, queued events and environments; when it returns no process is left."""
        await self._schedules.stop()
        await self._events.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._pool.stop()
        await self._sources.stop()

    def limit(self, limits: LambdaLimits) -> None:
        """Keep these from now on; what waits already waits as long as it was told."""
        self._pool.limits = self._events.limits = limits

    async def invoke(
        self,
        function: str,
        payload: bytes,
        *,
        tenant_id: str | None = None,
        client_context: str | None = None,
        tail: bool = False,
    ) -> Invocation:
        """Invoke and wait. The invocation goes on if the caller is cancelled, as on AWS. Raises `LambdaRefusal`."""
        spec = self._spec(function)
        _check_tenant(spec, tenant_id)
        _check_payload(payload, SYNC_PAYLOAD_BYTES)
        call = self._call(spec, payload, tenant_id, str(uuid4()))
        call.client_context = client_context
        call.tail = Tail() if tail else None
        return await self._run(spec, call)

    async def invoke_event(self, function: str, payload: bytes, *, tenant_id: str | None = None) -> str:
        """Queue the event; returns its request id, which is the same in every attempt. Raises `LambdaRefusal`."""
        return self._queue(function, payload, tenant_id)

    async def kill(self, function: str) -> int:
        """For tests: SIGKILL every environment of a function, busy or idle; returns how many."""
        environments = self._pool.environments(self._spec(function).name)
        for environment in environments:
            environment.kill()
        return len(environments)

    def environments(self, function: str) -> int:
        """How many environments of a function live now."""
        return len(self._pool.environments(self._spec(function).name))

    @property
    def events_waiting(self) -> int:
        """For tests: asynchronous events not finished yet."""
        return self._events.waiting

    def _spec(self, function: str) -> FunctionSpec:
        name = function_name(function)
        try:
            return self._specs[name]
        except KeyError:
            raise FunctionNotFound(f"Function not found: {self._options.arn(name)}") from None

    def _queue(self, function: str, payload: bytes, tenant_id: str | None = None) -> str:
        spec = self._spec(function)
        _check_tenant(spec, tenant_id)
        _check_payload(payload, EVENT_PAYLOAD_BYTES)
        request_id = str(uuid4())
        self._events.put(Event(spec=spec, request_id=request_id, payload=payload, tenant_id=tenant_id))
        return request_id

    async def _run_event(self, event: Event) -> Invocation:
        return await self._run(event.spec, self._call(event.spec, event.payload, event.tenant_id, event.request_id))

    def _call(self, spec: FunctionSpec, payload: bytes, tenant_id: str | None, request_id: str) -> Call:
        return Call(
            request_id=request_id,
            function_arn=self._options.arn(spec.name),
            payload=payload or b"{}",
            timeout_s=spec.timeout_s,
            tenant_id=tenant_id,
            trace_id=new_trace_id(sampled=self._options.trace_sampled),
        )

    async def _run(self, spec: FunctionSpec, call: Call) -> Invocation:
        task = asyncio.create_task(self._execute(spec, call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _execute(self, spec: FunctionSpec, call: Call) -> Invocation:
        try:
            await self._inject_faults(spec)
            environment = await self._pool.acquire(spec, call.tenant_id)
        except InitFailed as error:
            outcome = self._without_environment(spec, call, error)
        except Throttled as refusal:
            self._notice(spec, f"throttled: {refusal}", "warning", call.request_id)
            raise
        else:
            environment.run(call)
            self._kill_later(environment, call)
            outcome = await call.outcome
        log = b"" if call.tail is None else call.tail.value()
        return Invocation(outcome.payload, "Unhandled" if outcome.failed else None, call.request_id, log)

    async def _inject_faults(self, spec: FunctionSpec) -> None:
        delay_s = self._faults.delayed_by(spec.name)
        if delay_s:
            await asyncio.sleep(delay_s)
        if self._faults.is_throttled(spec.name):
            raise Throttled("Rate Exceeded.", reason="ReservedFunctionConcurrentInvocationLimitExceeded")

    def _without_environment(self, spec: FunctionSpec, call: Call, error: InitFailed) -> Outcome:
        """The invocation whose own init failed ends with it, and is logged as any other."""
        outcome = error.outcome(call.request_id)
        timed_out = isinstance(error.reason, TimedOut)
        journal = Journal(spec, self._log)
        journal.begin(call)
        if timed_out:
            journal.timed_out(call)
        report = Report(
            request_id=call.request_id,
            duration_s=error.duration_s,
            init_s=None,
            memory_mb=spec.memory_mb,
            peak_memory_mb=None,
            status="timeout" if timed_out else "error",
            error_type=outcome.error_type,
        )
        journal.end(report)
        self._notice(spec, cannot_start(outcome), "error", call.request_id)
        return outcome

    def _kill_later(self, environment: Environment, call: Call) -> None:
        after_s = self._faults.killed_after(environment.spec.name)
        if after_s is not None:
            asyncio.get_running_loop().call_later(after_s, lambda: None if call.outcome.done() else environment.kill())

    def _lost(self, spec: FunctionSpec, record: EventRecord, reason: str) -> None:
        self._notice(spec, f"record of {record.request_id} not delivered: {reason}", "warning", record.request_id)

    def _reloaded(self, folder: Path, files: tuple[str, ...]) -> None:
        shown = [file for file in files if (folder / file).is_file()] or list(files)
        more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
        for spec in self._specs.values():
            if folder in (spec.code_dir, *spec.layer_dirs):
                self._notice(spec, f"reloaded: {', '.join(shown[:3])}{more} changed")
                for error in syntax_errors([folder / file for file in shown]):
                    self._notice(spec, error, "error")

    def _notice(self, spec: FunctionSpec, text: str, level: Level = "info", request_id: str | None = None) -> None:
        self._log(LogLine(function=spec.name, text=text, source="notice", request_id=request_id, level=level))


def _check_tenant(spec: FunctionSpec, tenant_id: str | None) -> None:
    """Required with PER_TENANT, refused without.

    https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-invoke.html
    """
    if spec.tenant_isolation and tenant_id is None:
        raise InvalidTenant(
            "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try "
            "again."
        )
    if not spec.tenant_isolation and tenant_id is not None:
        raise InvalidTenant(
            "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request "
            "and try again."
        )
    if tenant_id is not None and _TENANT.fullmatch(tenant_id) is None:
        raise InvalidTenant(f"Invalid tenant ID: it must match {_TENANT.pattern}")


def _check_payload(payload: bytes, limit: int) -> None:
    """At most `limit` bytes of JSON; an empty payload stands for an empty object, as AWS takes it."""
    if len(payload) > limit:
        # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: RequestTooLargeException, status 413
        raise PayloadTooLarge(f"Request must be smaller than {limit} bytes for the InvokeFunction operation")
    if payload:
        try:
            json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise InvalidPayload(f"Could not parse request body into json: {error}") from error


def function_name(reference: str) -> str:
    """The name in a function's name, partial or full ARN, without version or alias.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-FunctionName
    """
    parts = reference.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
