"""The environments of all functions: found warm, started cold, limited, and ended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping

from emulator.contract import FunctionSpec, Throttled
from emulator.functions.environment import Environment, InitFailed, State
from emulator.functions.journal import Phase
from emulator.functions.log import LogSink
from emulator.functions.options import LambdaOptions
from emulator.functions.outcome import failure
from emulator.functions.runtime_api import RuntimeApi
from emulator.functions.source import Signature, SourceWatch
from emulator.functions.starts import Starts, Waiting
from emulator.functions.variables import variables
from emulator.processes import Reaper

# How often the memory of a busy environment is looked at; some 5 µs each.
_WEIGH_S = 0.1


class Pool:
    """Owns every environment from its start until nothing of it is left."""

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
        self._idle: list[Environment] = []  # least recently used first
        self._busy: set[Environment] = set()
        self._starting: set[Environment] = set()  # of the busy ones: in their init, with no invocation yet
        self._starts = Starts(at_once=options.inits, begin=self._begin, busy=self._suitable, give_back=self._on_idle)
        self._beginnings: set[asyncio.Task[None]] = set()
        self._taken: dict[Environment, float] = {}  # when a call took it
        self._burials: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to end environments that stay unused or use too much memory."""
        self._loops.append(asyncio.create_task(self._reap()))
        if self._options.memory_limit:
            self._loops.append(asyncio.create_task(self._weigh()))

    async def stop(self) -> None:
        """End everything and wait for it."""
        for loop in self._loops:
            loop.cancel()
        for beginning in self._beginnings:
            beginning.cancel()
        await asyncio.gather(*self._loops, *self._beginnings, return_exceptions=True)
        for environment in self.environments():
            environment.kill()
        while self._burials or self._busy:
            await asyncio.gather(*(environment.stop() for environment in self.environments()), *self._burials)
            # Gathering what is done already gives nobody a turn (Python 3.12 on), not even those who take it out.
            await asyncio.sleep(0)
        await self._api.stop()

    def environments(self, function: str | None = None) -> tuple[Environment, ...]:
        """All that live, or those of one function, the busy ones first."""
        living = [*self._busy, *self._idle]
        return tuple(each for each in living if function is None or each.spec.name == function)

    async def acquire(self, spec: FunctionSpec, tenant_id: str | None) -> Environment:
        """A free environment for one invocation, which must follow at once.

        Raises `Throttled` at a limit and `InitFailed` if a cold one could not be made.
        """
        signature = self._sources.signature((spec.code_dir, *spec.layer_dirs))
        self._check_limits(spec)
        environment = self._take_idle(spec, tenant_id, signature)
        if environment is None:
            environment = await self._starts.turn(Waiting(spec, tenant_id, signature))
        if environment.state is State.IDLE:  # and was not killed at the very moment
            self._taken[environment] = time.monotonic()
        return environment

    def _begin(self, waiting: Waiting) -> None:
        beginning = asyncio.create_task(self._start(waiting))
        self._beginnings.add(beginning)
        beginning.add_done_callback(self._beginnings.discard)

    async def _start(self, waiting: Waiting) -> None:
        spec = waiting.spec
        try:
            self._make_room()
            try:
                environment = await self._cold(waiting, self.limits.init_time, "init")
            except InitFailed:
                # A failed init is tried once more, now in the time of the function itself.
                # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
                environment = await self._cold(waiting, float(spec.timeout_s), "invoke")
            if environment.state is State.IDLE:
                self._on_idle(environment)
            else:
                waiting.fail(InitFailed(-signal.SIGKILL))  # killed at the very moment it became ready
        except InitFailed as error:
            waiting.fail(error)
        except Exception as error:
            # A fault of the emulator: another start would do no better.
            waiting.fail(InitFailed(failure("Runtime.Unknown", repr(error))))
            raise
        finally:
            self._starts.over(waiting)

    def _check_limits(self, spec: FunctionSpec) -> None:
        reserved, own = spec.reserved_concurrency, self.limits.function_concurrency
        limit = own if reserved is None else min(reserved, own)
        # Who waits counts, so an environment that starts meanwhile does not.
        called, waiting = self._busy - self._starting, self._starts.waiting()
        busy = len(called) + len(waiting)
        # Reasons: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
        if busy >= limit:
            names = [*(each.spec.name for each in called), *waiting]
            if names.count(spec.name) >= limit:
                raise Throttled("Rate Exceeded.", reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        if busy >= self.limits.concurrency:
            raise Throttled("Rate Exceeded.")

    def _take_idle(self, spec: FunctionSpec, tenant_id: str | None, signature: Signature) -> Environment | None:
        for environment in [each for each in self._idle if each.spec.name == spec.name]:
            if environment.signature != signature:
                environment.kill()
        for environment in reversed(self._idle):
            if environment.spec.name == spec.name and environment.tenant_id == tenant_id:
                self._idle.remove(environment)
                self._busy.add(environment)
                return environment
        return None

    async def _cold(self, waiting: Waiting, bound_s: float, phase: Phase) -> Environment:
        spec = waiting.spec
        environment = Environment(
            spec,
            tenant_id=waiting.tenant_id,
            signature=waiting.signature,
            options=self._options,
            log=self._log,
            reaper=self._reaper,
            on_idle=self._on_idle,
            on_dead=self._on_dead,
        )
        self._busy.add(environment)
        self._starting.add(environment)
        began = time.monotonic()
        try:
            address = await self._api.open(environment)
            surroundings = variables(spec, options=self._options, extra=self._extra, runtime_api=address)
            await environment.start(surroundings, phase=phase)
            await environment.wait_ready(bound_s)
        except BaseException:
            environment.kill()
            if environment.state is not State.DEAD and not environment.started:
                self._on_dead(environment)
            raise
        finally:
            self._starting.discard(environment)
        self._starts.pace(spec.name).initialised(time.monotonic() - began)
        return environment

    def _suitable(self, waiting: Waiting) -> int:
        return sum(waiting.fits(each) for each in self._busy if each not in self._starting)

    def _on_idle(self, environment: Environment) -> None:
        if environment in self._starting:
            return
        taken = self._taken.pop(environment, None)
        if taken is not None:
            self._starts.pace(environment.spec.name).called(time.monotonic() - taken)
        if self._starts.offer(environment):
            return  # it stays busy, for another
        self._busy.discard(environment)
        self._idle.append(environment)
        self._make_room(0)

    def _on_dead(self, environment: Environment) -> None:
        self._busy.discard(environment)
        self._taken.pop(environment, None)
        if environment in self._idle:
            self._idle.remove(environment)
        burial = asyncio.create_task(self._bury(environment))
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)

    async def _bury(self, environment: Environment) -> None:
        await environment.stop()
        await self._api.close(environment)

    def _make_room(self, wanted: int = 1) -> None:
        while self._idle and len(self._idle) + len(self._busy) + wanted > self._options.max_environments:
            self._idle[0].kill()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(min(self._options.idle_s / 4, 15.0))
            oldest = time.monotonic() - self._options.idle_s
            for environment in [each for each in self._idle if each.used_at < oldest]:
                environment.kill()

    async def _weigh(self) -> None:
        while True:
            await asyncio.sleep(_WEIGH_S)
            for environment in tuple(self._busy):
                environment.check_memory()
