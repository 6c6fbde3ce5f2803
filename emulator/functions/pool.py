"""The pool of execution environments of all functions: starts them, gives them to calls, and removes them."""

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Mapping

from emulator.contract import FunctionSpec, Throttled
from emulator.functions.call import failure
from emulator.functions.environment import Environment, Kind
from emulator.functions.journal import Phase
from emulator.functions.lifecycle import Exited, InitFailed, State
from emulator.functions.log import LogSink
from emulator.functions.options import LambdaOptions
from emulator.functions.runtime_api import RuntimeApi
from emulator.functions.source_watch import SourceWatch
from emulator.functions.start_policy import StartPolicy
from emulator.functions.variables import variables
from emulator.functions.waiting import WaitingCall, WaitingCalls
from emulator.processes import Reaper

# How often the memory of a busy environment is looked at; some 5 µs each.
_MEMORY_CHECK_S = 0.1
_CORES = os.cpu_count() or 1

_FREE = (State.FROZEN, State.IDLE)  # the least recently used first: what is idle freezes next
_IN_USE = (State.RESERVED, State.BUSY, State.ENDING)


class Pool:
    """Decides of every environment: whether one starts, which call gets it, when it ends.

    Environments tell it of each change of their state (`moved`), and it keeps them by their state.
    """

    def __init__(
        self, *, options: LambdaOptions, extra: Mapping[str, str], log: LogSink, reaper: Reaper, sources: SourceWatch
    ) -> None:
        self._options = options
        self.limits = options.limits
        self._extra = extra
        self._log = log
        self._reaper = reaper
        self._api = RuntimeApi()
        self._sources = sources
        # By state, those that have been in it for longest first; a dictionary is a set that keeps the order.
        self._in: dict[State, dict[Environment, None]] = {state: {} for state in State if state is not State.DEAD}
        self._waiting = WaitingCalls()
        self._policies: defaultdict[str, StartPolicy] = defaultdict(StartPolicy)
        self._starts_left = options.inits
        self._starts: set[asyncio.Task[None]] = set()
        self._removals: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to end environments that stay unused or use too much memory."""
        self._loops.append(asyncio.create_task(self._end_unused()))
        if self._options.memory_limit:
            self._loops.append(asyncio.create_task(self._check_memory()))

    async def stop(self) -> None:
        """End everything and wait for it."""
        for task in (*self._loops, *self._starts):
            task.cancel()
        await asyncio.gather(*self._loops, *self._starts, return_exceptions=True)
        while living := self.environments():
            await asyncio.gather(*(environment.stop() for environment in living))
        while self._removals:
            await asyncio.gather(*self._removals)
            # Gathering what is done already gives nobody a turn (Python 3.12 on), not even those who take it out.
            await asyncio.sleep(0)
        await self._api.stop()

    def environments(self, function: str | None = None) -> tuple[Environment, ...]:
        """All that live, or those of one function, the busy ones first."""
        living = (each for state in (State.STARTING, *_IN_USE, *_FREE) for each in self._in[state])
        return tuple(each for each in living if function is None or each.spec.name == function)

    async def acquire(self, spec: FunctionSpec, tenant_id: str | None) -> Environment:
        """An environment that is reserved for one invocation, which must follow at once.

        Raises:
            Throttled: A limit is reached.
            InitFailed: A cold one could not be made, or it was killed at the very moment it became ready.
        """
        kind = Kind(spec.name, tenant_id, self._sources.signature((spec.code_dir, *spec.layer_dirs)))
        self._check_limits(spec)
        environment = self._free(kind)
        if environment is None:
            environment = await self._wait(WaitingCall(spec, kind))
        if environment.state is not State.RESERVED:
            raise InitFailed(Exited(-signal.SIGKILL))
        return environment

    # What environments tell

    def moved(self, environment: Environment, before: State | None) -> None:
        """An environment has changed its state; `before` is None for a new one."""
        if before is not None:
            self._in[before].pop(environment, None)
        if environment.state is State.DEAD:
            self._remove_later(environment)
            return
        self._in[environment.state][environment] = None
        if environment.state is State.IDLE:
            policy = self._policies[environment.spec.name]
            if before is State.STARTING:
                policy.initialised(time.monotonic() - environment.moved_at[State.STARTING])
            elif before is State.BUSY:
                policy.called(time.monotonic() - environment.moved_at[State.BUSY])
            self._became_free(environment)

    def _became_free(self, environment: Environment) -> None:
        call = self._waiting.first(environment.kind)
        if call is None:
            self._make_room(0)
        else:
            call.give(environment)

    # Which environment a call gets

    def _check_limits(self, spec: FunctionSpec) -> None:
        reserved, own = spec.reserved_concurrency, self.limits.function_concurrency
        limit = own if reserved is None else min(reserved, own)
        # Who waits counts, so an environment that starts meanwhile does not.
        busy = len(self._waiting) + sum(len(self._in[state]) for state in _IN_USE)
        # Reasons: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
        if busy >= limit:
            called = (each.spec.name for state in _IN_USE for each in self._in[state])
            if [*called, *(each.spec.name for each in self._waiting)].count(spec.name) >= limit:
                raise Throttled("Rate Exceeded.", reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        if busy >= self.limits.concurrency:
            raise Throttled("Rate Exceeded.")

    def _free(self, kind: Kind) -> Environment | None:
        """The most recently used of the free ones, reserved; those that run an older source end."""
        free = [each for state in _FREE for each in self._in[state] if each.spec.name == kind.function]
        for environment in free:
            if environment.kind.signature != kind.signature:
                environment.kill()
        for environment in reversed(free):
            if environment.kind == kind:
                environment.reserve()
                return environment
        return None

    async def _wait(self, call: WaitingCall) -> Environment:
        self._waiting.add(call)
        try:
            self._consider(call)
            return await call.turn
        except asyncio.CancelledError:
            # The turn may have come in the same moment.
            environment = call.received()
            if environment is not None and environment.state is State.RESERVED:
                environment.release()
            raise
        finally:
            self._waiting.remove(call)

    def _consider(self, call: WaitingCall) -> None:
        """Start an environment for a call if that is due; look again when it may be."""
        if self._starts_left == 0 or call.starting or call.turn.done():
            return
        loop = asyncio.get_running_loop()
        busy = sum(each.kind == call.kind for state in _IN_USE for each in self._in[state])
        policy = self._policies[call.spec.name]
        patience = policy.patience(ahead=self._waiting.ahead_of(call), busy=busy, cores=_CORES)
        if patience > 0 and call.patient_since is None:
            call.patient_since = loop.time()
        left = patience and (call.patient_since or 0) + patience - loop.time()
        if left > 0:
            loop.call_later(left, self._consider, call)
            return
        self._starts_left -= 1
        call.starting = True
        start = loop.create_task(self._start(call))
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)

    # How one starts

    async def _start(self, call: WaitingCall) -> None:
        try:
            self._make_room()
            try:
                environment = await self._cold(call, self.limits.init_time, "init")
            except InitFailed:
                # A failed init is tried once more, now in the time of the function itself.
                # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
                environment = await self._cold(call, float(call.spec.timeout_s), "invoke")
            if environment.state is State.DEAD:
                call.fail(InitFailed(Exited(-signal.SIGKILL)))  # killed at the very moment it became ready
        except InitFailed as error:
            call.fail(error)
        except Exception as error:
            # A fault of the emulator: another start would do no better.
            call.fail(InitFailed(failure("Runtime.Unknown", repr(error))))
            raise
        finally:
            call.starting = False
            self._starts_left += 1
            for each in self._waiting:
                self._consider(each)

    async def _cold(self, call: WaitingCall, bound_s: float, phase: Phase) -> Environment:
        environment = Environment(
            call.spec, kind=call.kind, options=self._options, log=self._log, reaper=self._reaper, owner=self
        )
        try:
            address = await self._api.open(environment)
            surroundings = variables(call.spec, options=self._options, extra=self._extra, runtime_api=address)
            await environment.start(surroundings, phase=phase)
            await environment.wait_ready(bound_s)
        except BaseException:
            environment.kill()
            raise
        return environment

    # How one ends

    def _remove_later(self, environment: Environment) -> None:
        removal = asyncio.create_task(self._remove(environment))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    async def _remove(self, environment: Environment) -> None:
        await environment.stop()
        await self._api.close(environment)

    def _make_room(self, wanted: int = 1) -> None:
        while sum(len(each) for each in self._in.values()) + wanted > self._options.max_environments:
            oldest = next((each for state in _FREE for each in self._in[state]), None)
            if oldest is None:
                return
            oldest.kill()

    async def _end_unused(self) -> None:
        while True:
            await asyncio.sleep(min(self._options.idle_s / 4, 15.0))
            oldest = time.monotonic() - self._options.idle_s
            for environment in [each for state in _FREE for each in self._in[state]]:
                if environment.moved_at[State.IDLE] < oldest:
                    environment.kill()

    async def _check_memory(self) -> None:
        while True:
            await asyncio.sleep(_MEMORY_CHECK_S)
            for environment in [*self._in[State.STARTING], *self._in[State.BUSY]]:
                environment.check_memory()
