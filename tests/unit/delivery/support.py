"""What the tests of delivery and of runs share: a thread with one admitted run, and writers of its log."""

from dataclasses import dataclass

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import Broadcast
from dayfly.log.batch import Emitted
from dayfly.log.writer import LogPosition, LogWriter
from dayfly.protocol.events import AgentCompleted, AgentThinking, Usage
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import RunRow
from tests.fakes.world import World


def thinking(step: int = 1) -> AgentThinking:
    return AgentThinking(reasoning="…", step_number=step)


def item(step: int = 1) -> Emitted:
    return Emitted(thinking(step), None, "2026-01-01T00:00:00.000Z")


def completed(result: str = "Done.") -> AgentCompleted:
    return AgentCompleted(result=result, truncated=False, execution_time_ms=1, usage=Usage())


@dataclass
class Stage:
    """One admitted run of `u-alice`, watched by `a1`."""

    world: World
    call: EngineCall

    @property
    def run(self) -> RunRow:
        return self.world.run(self.call.run_id)

    def writer(self, *, next_seq: int = 2, nonce: str | None = None) -> LogWriter:
        position = LogPosition(
            ref=self.call.ref,
            agent_name="assistant",
            invocation_id="i-1",
            next_seq=next_seq,
        )
        return LogWriter(self.world.table, self.world.clock, position, nonce=nonce)

    def broadcast(self) -> Broadcast:
        return Broadcast(self.world.table, self.world.sockets, self.call.ref)

    def bridge(self, writer: LogWriter | None = None) -> WebSocketBridge:
        return WebSocketBridge(writer or self.writer(), self.broadcast(), self.world.clock)


async def staged(world: World) -> Stage:
    """A stage whose run was just admitted."""
    return Stage(world, await world.admitted("Hi"))
