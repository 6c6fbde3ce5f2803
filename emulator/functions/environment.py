"""One execution environment: a process that runs the invocations of one function, one at a time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from emulator.contract import FunctionSpec
from emulator.functions.call import Call, Outcome, exit_reason, exited, failure, out_of_memory, timed_out
from emulator.functions.journal import Journal, Phase
from emulator.functions.lifecycle import Exited, IllegalTransition, InitFailed, State, TimedOut, check_step
from emulator.functions.log import LogSink, Report
from emulator.functions.log_pipe import LogPipe
from emulator.functions.options import LambdaOptions
from emulator.functions.process import EnvironmentProcess
from emulator.functions.source_watch import Signature
from emulator.processes import Reaper

HandOver = Callable[[Call], None]
"""Gives a call to the runtime that asked for one."""


@dataclass(frozen=True)
class Kind:
    """Which calls an environment may serve: of one function, with one source, of one tenant if those are isolated."""

    function: str
    tenant_id: str | None
    signature: Signature


class Owner(Protocol):
    """Who decides what becomes of environments."""

    def moved(self, environment: "Environment", before: State | None) -> None:
        """An environment has changed its state; `before` is None for a new one."""
        ...


class Environment:
    """Runs calls; the Runtime API reports into it with `next`, `respond` and `init_error`.

    `moved_at` has for each state when it was last entered, on the monotonic clock.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        kind: Kind,
        options: LambdaOptions,
        log: LogSink,
        reaper: Reaper,
        owner: Owner,
    ) -> None:
        self.spec = spec
        self.kind = kind
        self.state = State.STARTING
        self.moved_at = {State.STARTING: time.monotonic()}
        self._options = options
        self._journal = Journal(spec, log)
        self._phase: Phase = "init"
        self._out_of_memory = False
        self._reaper = reaper
        self._owner = owner
        self._call: Call | None = None
        self._handoff: HandOver | None = None
        self._early: HandOver | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._init_outcome: Outcome | None = None
        self._init_s: float | None = None
        self._answer: Outcome | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._process: EnvironmentProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        owner.moved(self, None)

    def _move(self, state: State) -> None:
        """The one place where the state changes. Raises `IllegalTransition`."""
        check_step(self.state, state)
        before, self.state = self.state, state
        self.moved_at[state] = time.monotonic()
        self._owner.moved(self, before)

    # What its owner asks of it

    async def start(self, variables: Mapping[str, str], *, phase: Phase = "init") -> None:
        """Start the process; the init phase begins, or again as part of an invocation (`phase`).

        Raises `InitFailed` if the system has no process for it: its folder is gone, say, or its variables are too big.
        """
        pipe = LogPipe(self._journal.own)
        self._phase = phase
        try:
            self._process = await EnvironmentProcess.start(
                python=self._options.python,
                directory=self.spec.code_dir,
                variables=variables,
                pipe=pipe,
                reaper=self._reaper,
                alone=self.spec.import_path is not None,
            )
        except (OSError, ValueError) as error:
            pipe.close()
            raise InitFailed(failure("Runtime.InvalidEntrypoint", str(error))) from error
        except BaseException:
            pipe.close()
            raise
        self._watch = asyncio.create_task(self._watch_exit(self._process))
        if self.state is State.DEAD:  # killed meanwhile
            await self.stop()
        elif self._early is not None:
            early, self._early = self._early, None
            self.next(early)

    async def wait_ready(self, bound_s: float) -> None:
        """Wait for the end of the init phase; raises `InitFailed` with the reason, the process then being dead."""
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), bound_s)
        except TimeoutError:
            self._journal.init_failed(phase=self._phase, duration_s=bound_s, status="timeout")
            self.kill()
            raise InitFailed(TimedOut(bound_s), duration_s=bound_s) from None

    def reserve(self) -> None:
        """Keep it for one call."""
        self._move(State.RESERVED)

    def release(self) -> None:
        """The call that it was kept for does not come."""
        self._wait_for_work()

    def run(self, call: Call) -> None:
        """Hand `call` to the waiting runtime; `call.outcome` gets the answer. Raises `IllegalTransition`."""
        self._move(State.BUSY)
        assert self._handoff is not None
        assert self._process is not None
        self._call = call
        self._answer = None
        call.begin()
        hand_over, self._handoff = self._handoff, None
        hand_over(call)
        self._process.thaw()
        # What the function says is read later, so this line comes before all of it.
        self._journal.begin(call)
        self._alarm = asyncio.get_running_loop().call_later(call.timeout_s, self._time_out, call)

    def check_memory(self) -> bool:
        """Kill the process if it has used more than the function's memory size; True if so.

        The greatest use so far is what counts, so a short peak is not missed between two looks.
        """
        if self._process is None or self._out_of_memory or not self._options.memory_limit:
            return self._out_of_memory
        peak_mb = self._process.peak_memory_mb()
        if peak_mb is not None and peak_mb > self.spec.memory_mb:
            self._out_of_memory = True
            self.kill()
        return self._out_of_memory

    def kill(self) -> None:
        """End the process now, frozen or not; a running invocation ends as a crash."""
        if self.state in (State.STARTING, State.BUSY) and self._process is not None:
            self._move(State.ENDING)  # its exit ends the init or the call
        elif self.state not in (State.ENDING, State.DEAD):
            self._move(State.DEAD)
        if self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        """Kill and wait until nothing is left."""
        self.kill()
        if self._watch is not None:
            await self._watch

    # What its runtime tells

    def next(self, hand_over: HandOver) -> None:
        """The runtime asks for work: the invocation before is over, the environment freezes until the next one, which
        goes to `hand_over`. Raises `IllegalTransition`."""
        if self.state not in (State.STARTING, State.BUSY):
            raise IllegalTransition(f"next of an environment that is {self.state.value}")
        if self._process is None:
            # A quick runtime beside a busy event loop: it asks before its start has come back to us.
            self._early = hand_over
            return
        self._process.pipe.flush()
        if self.check_memory():
            raise IllegalTransition("next of an environment that is out of memory")
        if self._call is not None:
            # The runtime client asks for more only after it has answered; the caller gets the answer now, when the
            # environment is free again, so that its next call finds it warm.
            self._finish(self._call, failure("Runtime.Unknown", "no response was posted"), None)
        elif not self._ready.done():
            self._init_s = time.monotonic() - self.moved_at[State.STARTING]
            self._ready.set_result(None)
        self._handoff = hand_over
        self._wait_for_work()

    def respond(self, request_id: str, outcome: Outcome) -> bool:
        """The runtime posted a response or an error; False if it is not for the present invocation."""
        if self._call is None or self._call.request_id != request_id:
            return False
        if self._answer is None:
            self._answer = outcome
        return True

    def init_error(self, payload: bytes, error_type: str | None = None) -> None:
        """The runtime could not load the handler; it exits next."""
        self._init_outcome = Outcome(payload, failed=True, error_type=error_type)

    def _wait_for_work(self) -> None:
        self._move(State.IDLE)
        if self._options.freeze:
            # Later: by then its owner may have found it a call, and nothing has to be woken again.
            asyncio.get_running_loop().call_soon(self._freeze)

    def _freeze(self) -> None:
        if self.state is State.IDLE and self._process is not None:
            self._process.freeze()
            self._move(State.FROZEN)

    def _time_out(self, call: Call) -> None:
        if self._process is None or self._call is not call:
            return
        self._process.pipe.flush()
        self._journal.timed_out(call)
        self._finish(call, timed_out(call.request_id, call.timeout_s), "timeout")
        self.kill()

    async def _watch_exit(self, process: EnvironmentProcess) -> None:
        status = await process.wait()
        if not self._ready.done():
            duration_s = time.monotonic() - self.moved_at[State.STARTING]
            failed = InitFailed(self._init_outcome or Exited(status), duration_s=duration_s)
            error = failed.outcome("").error_type
            self._journal.init_failed(phase=self._phase, duration_s=duration_s, status="error", error=error)
            self._ready.set_exception(failed)
            self._ready.exception()  # whoever waits sees it; nobody may be waiting any more
        if self._call is not None:
            call = self._call
            self._journal.exited(call, exit_reason(status))
            if self._out_of_memory:
                self._answer = out_of_memory(call.request_id)  # whatever it has answered before
            self._finish(call, exited(call.request_id, status), "error")
        if self.state is not State.DEAD:
            self._move(State.DEAD)

    def _finish(self, call: Call, unanswered: Outcome, status: Literal["timeout", "error"] | None) -> None:
        self._call = None
        if self._alarm is not None:
            self._alarm.cancel()
        outcome = self._answer or unanswered
        peak_mb = None if self._process is None else self._process.peak_memory_mb()
        if self._out_of_memory:
            peak_mb = self.spec.memory_mb
        report = Report(
            request_id=call.request_id,
            duration_s=time.monotonic() - self.moved_at[State.BUSY],
            init_s=self._init_s,
            memory_mb=self.spec.memory_mb,
            peak_memory_mb=peak_mb,
            status=status or ("error" if outcome.failed else None),
            error_type=outcome.error_type,
        )
        self._init_s = None
        self._journal.end(report)
        call.settle(outcome)
