"""Lambda: what the gateway, the Invoke endpoint and the tests call."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from uuid import uuid4

from emulator.contract import FunctionNotFound, FunctionSpec, Invocation, LambdaRefusal, ScheduleSpec, Throttled
from emulator.functions.call import Call, new_trace_id
from emulator.functions.checks import check_payload, check_tenant
from emulator.functions.environment import Environment, InitFailed, State
from emulator.functions.events import Event, EventQueue
from emulator.functions.faults import Faults, NoFaults
from emulator.functions.log import Level, LogLine, LogSink, print_line
from emulator.functions.options import EVENT_PAYLOAD_BYTES, SYNC_PAYLOAD_BYTES, LambdaOptions
from emulator.functions.pool import Pool
from emulator.functions.records import FailedEvent
from emulator.functions.schedules import Schedules
from emulator.functions.source import SourceWatch
from emulator.functions.trouble import cannot_start, syntax_errors
from emulator.guard import Guard

SendToQueue = Callable[[str, bytes], Awaitable[None]]
"""Sends a message body to the queue with an ARN."""


class LambdaService:
    """All functions of an application; implements `emulator.contract.Functions`.

    `extra` are environment variables that every function gets, above its own (endpoints). `guard` must have been
    started and outlives the service.
    """

    def __init__(
        self,
        functions: Iterable[FunctionSpec],
        *,
        guard: Guard,
        schedules: Iterable[ScheduleSpec] = (),
        extra: Mapping[str, str] | None = None,
        options: LambdaOptions | None = None,
        log: LogSink = print_line,
        send_to_queue: SendToQueue | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._specs = {spec.name: spec for spec in functions}
        self._options = options or LambdaOptions()
        self._log = log
        self._send_to_queue = send_to_queue
        self._faults = faults or NoFaults()
        folders = [folder for spec in self._specs.values() for folder in (spec.code_dir, *spec.layer_dirs)]
        self._sources = SourceWatch(folders, changed=self._reloaded)
        self._pool = Pool(options=self._options, extra=extra or {}, log=log, guard=guard, sources=self._sources)
        self._events = EventQueue(
            options=self._options, faults=self._faults, run=self._run_event, give_up=self._give_up
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

    async def invoke(self, function: str, payload: bytes, *, tenant_id: str | None = None) -> Invocation:
        """Invoke and wait. The invocation goes on if the caller is cancelled, as on AWS. Raises `LambdaRefusal`."""
        spec = self._spec(function)
        check_tenant(spec, tenant_id)
        check_payload(payload, SYNC_PAYLOAD_BYTES)
        return await self._run(spec, payload, tenant_id, str(uuid4()))

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
        """Asynchronous events not finished yet."""
        return self._events.waiting

    def _spec(self, function: str) -> FunctionSpec:
        name = function_name(function)
        try:
            return self._specs[name]
        except KeyError:
            raise FunctionNotFound(f"Function not found: {self._options.arn(name)}") from None

    def _queue(self, function: str, payload: bytes, tenant_id: str | None = None) -> str:
        spec = self._spec(function)
        check_tenant(spec, tenant_id)
        check_payload(payload, EVENT_PAYLOAD_BYTES)
        request_id = str(uuid4())
        self._events.put(Event(spec=spec, request_id=request_id, payload=payload, tenant_id=tenant_id))
        return request_id

    async def _run_event(self, event: Event) -> Invocation:
        return await self._run(event.spec, event.payload, event.tenant_id, event.request_id)

    async def _run(self, spec: FunctionSpec, payload: bytes, tenant_id: str | None, request_id: str) -> Invocation:
        task = asyncio.create_task(self._execute(spec, payload, tenant_id, request_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _execute(self, spec: FunctionSpec, payload: bytes, tenant_id: str | None, request_id: str) -> Invocation:
        call = Call(
            request_id=request_id,
            function_arn=self._options.arn(spec.name),
            payload=payload or b"{}",
            timeout_s=spec.timeout_s,
            tenant_id=tenant_id,
            trace_id=new_trace_id(sampled=self._options.trace_sampled),
        )
        try:
            environment = await self._pool.acquire(spec, tenant_id)
            if environment.state is not State.IDLE:
                raise InitFailed(-signal.SIGKILL)  # killed at the very moment it became ready
        except InitFailed as error:
            outcome = error.outcome(request_id)
            self._notice(spec, cannot_start(outcome), "error", request_id)
        except Throttled as refusal:
            self._notice(spec, f"throttled: {refusal}", "warning", request_id)
            raise
        else:
            environment.run(call)
            self._kill_later(environment, call)
            outcome = await call.outcome
        return Invocation(outcome.payload, "Unhandled" if outcome.failed else None, request_id)

    def _kill_later(self, environment: Environment, call: Call) -> None:
        after_s = self._faults.killed_after(environment.spec.name)
        if after_s is not None:
            asyncio.get_running_loop().call_later(after_s, lambda: None if call.outcome.done() else environment.kill())

    async def _give_up(self, spec: FunctionSpec, failed: FailedEvent) -> None:
        target = spec.on_failure
        if target is None:
            return
        try:
            if target.startswith("arn:") and ":sqs:" in target:
                if self._send_to_queue is None:
                    raise FunctionNotFound(f"no queues here: {target}")
                await self._send_to_queue(target, failed.record())
            else:
                self._queue(target, failed.record())
        except LambdaRefusal as refusal:
            # AWS counts such a record in DestinationDeliveryFailures and drops it.
            text = f"on-failure record of {failed.request_id} not delivered: {refusal}"
            self._notice(spec, text, "warning", failed.request_id)

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


def function_name(reference: str) -> str:
    """The name in a function's name, partial or full ARN, without version or alias.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-FunctionName
    """
    parts = reference.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
