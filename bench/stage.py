"""The application on the emulator, with every call of its functions counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.emulated import NO_WARM_UP, QUIET_S, Emulated, copy_application, copy_application_with_agents
from bench.proxy import Proxy
from bench.recorder import Phase, Recorder, lead_through

FUNCTIONS: Final = {
    "AuthorizerFunction": "authorizer",
    "ConnectionFunction": "connection",
    "RouterFunction": "router",
    "EngineFunction": "engine",
    "RecoveryFunction": "recovery",
}
"""By logical id, the name that its calls are counted under."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running application and who follows it."""

    app: Emulated
    recorder: Recorder

    async def since(self, name: str, *, quiet_s: float = QUIET_S) -> Phase:
        """Waits until nothing goes on (see `Emulated.settled`); then all since the last phase ended."""
        await self.app.settled(quiet_s=quiet_s)
        return self.recorder.phase(name)


@asynccontextmanager
async def as_deployed() -> AsyncIterator[Stage]:
    """The application as it is."""
    with TemporaryDirectory(prefix="bench-") as folder:
        async with _counted(copy_application(Path(folder))) as stage:
            yield stage


@asynccontextmanager
async def with_agents() -> AsyncIterator[Stage]:
    """With the agents of `bench/agents` besides its own, and without a warm-up at connect."""
    with TemporaryDirectory(prefix="bench-") as folder:
        async with _counted(copy_application_with_agents(Path(folder)), *NO_WARM_UP) as stage:
            yield stage


@asynccontextmanager
async def _counted(template: Path, *options: str) -> AsyncIterator[Stage]:
    async with Proxy(tuple(FUNCTIONS.values())) as proxy:
        lead_through(template, proxy, FUNCTIONS)
        async with Emulated(template, *options) as app:
            yield Stage(app, Recorder(app, proxy, FUNCTIONS))
