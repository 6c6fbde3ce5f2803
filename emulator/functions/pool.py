"""The environments of all functions: found warm, started cold, limited, and ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from emulator.contract import FunctionSpec, Throttled
from emulator.functions.environment import Environment, InitFailed, State
from emulator.functions.journal import Phase
from emulator.functions.log import LogSink
from emulator.functions.options import LambdaOptions
from emulator.functions.runtime_api import RuntimeApi
from emulator.functions.source import Signature, SourceWatch
from emulator.functions.variables import variables
from emulator.guard import Guard

# How often the memory of a busy environment is looked at; some 30 µs each.
_WEIGH_S = 0.1


@dataclass(frozen=True, eq=False)
class Waiting:
    """A call that may neither start an environment yet nor has found one free."""

    spec: FunctionSpec
    tenant_id: str | None
    signature: Signature
    freed: asyncio.Future[Environment]

    def fits(self, environment: Environment) -> bool:
        """Whether the call may run there."""
        mine = (self.spec.name, self.tenant_id, self.signature)
        return (environment.spec.name, environment.tenant_id, environment.signature) == mine and not self.freed.done()


class Pool:
    """Owns every environment from its start until nothing of it is left."""

    def __init__(
        self, *, options: LambdaOptions, extra: Mapping[str, str], log: LogSink, guard: Guard, sources: SourceWatch
    ) -> None:
        self._options = options
        self.limits = options.limits
        self._extra = extra
        self._log = log
        self._guard = guard
        self._api = RuntimeApi()
        self._sources = sources
        self._idle: list[Environment] = []  # least recently used first
        self._busy: set[Environment] = set()
        self._starting: set[Environment] = set()  # of the busy ones: claimed by the invocation that needs them
        self._inits = asyncio.Semaphore(options.inits)
        self._waiting: list[Waiting] = []  # oldest first
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
        await asyncio.gather(*self._loops, return_exceptions=True)
        for environment in self.environments():
            environment.kill()
        while self._burials or self._busy:
            await asyncio.gather(*(environment.stop() for environment in self.environments()), *self._burials)
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
        warm = self._take_idle(spec, tenant_id, signature)
        if warm is not None:
            return warm
        self._check_limits(spec)
        freed = await self._turn(Waiting(spec, tenant_id, signature, asyncio.get_running_loop().create_future()))
        if freed is not None:
            return freed
        try:
            self._make_room()
            try:
                return await self._cold(spec, tenant_id, signature, self.limits.init_time, "init")
            except InitFailed:
                # A failed init is tried once more, now in the time of the function itself.
                # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
                return await self._cold(spec, tenant_id, signature, float(spec.timeout_s), "invoke")
        finally:
            self._inits.release()

    async def _turn(self, waiting: Waiting) -> Environment | None:
        """Waits for the right to start an environment, or for one that becomes free first: on a laptop, twenty calls at
        once are answered sooner by a few environments than by twenty that start at once."""
        if not self._inits.locked():
            await self._inits.acquire()
            return None
        self._waiting.append(waiting)
        slot = asyncio.create_task(self._inits.acquire())
        either: set[asyncio.Future[Any]] = {slot, waiting.freed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._give_back(slot)
            if waiting.freed.done():
                self._on_idle(waiting.freed.result())
            raise
        finally:
            self._waiting.remove(waiting)
        if not waiting.freed.done():
            return None
        await self._give_back(slot)
        return waiting.freed.result()

    async def _give_back(self, slot: asyncio.Task[Literal[True]]) -> None:
        slot.cancel()
        await asyncio.gather(slot, return_exceptions=True)
        if not slot.cancelled():
            self._inits.release()

    def _check_limits(self, spec: FunctionSpec) -> None:
        limit = spec.reserved_concurrency
        busy = [*(each.spec.name for each in self._busy), *(each.spec.name for each in self._waiting)]
        # Reasons: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
        if limit is not None and busy.count(spec.name) >= limit:
            raise Throttled("Rate Exceeded.", reason="ReservedFunctionConcurrentInvocationLimitExceeded")
        if len(busy) >= self.limits.concurrency:
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

    async def _cold(
        self, spec: FunctionSpec, tenant_id: str | None, signature: Signature, bound_s: float, phase: Phase
    ) -> Environment:
        environment = Environment(
            spec,
            tenant_id=tenant_id,
            signature=signature,
            options=self._options,
            log=self._log,
            guard=self._guard,
            on_idle=self._on_idle,
            on_dead=self._on_dead,
        )
        self._busy.add(environment)
        self._starting.add(environment)
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
        return environment

    def _on_idle(self, environment: Environment) -> None:
        if environment in self._starting:
            return
        for waiting in self._waiting:
            if waiting.fits(environment):
                waiting.freed.set_result(environment)  # it stays busy, for another
                return
        self._busy.discard(environment)
        self._idle.append(environment)
        self._make_room(0)

    def _on_dead(self, environment: Environment) -> None:
        self._busy.discard(environment)
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
