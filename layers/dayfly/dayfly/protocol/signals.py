"""What the server sends besides events and replies: not logged, without `seq`."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dayfly.protocol.replies import ThreadItem


class Phase(StrEnum):
    """What a running agent is at."""

    STARTING = "starting"
    MODEL = "model"
    RETRYING = "retrying"
    TOOL = "tool"
    ENDING = "ending"


class _Signal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def encode(self) -> bytes:
        """The frame as it goes over the wire."""
        return self.model_dump_json(exclude_none=True).encode()


class AgentHeartbeat(_Signal):
    """The run is alive. `last_seq` is the last event queued to this connection before this frame."""

    type: Literal["agent_heartbeat"] = "agent_heartbeat"
    run_id: str
    """The run."""
    thread_id: str
    """Its thread."""
    last_seq: Annotated[int, Field(ge=0)]
    """The last seq sent to this connection before this frame; a higher one than you hold is a gap."""
    phase: Phase
    """What the agent is at."""
    elapsed_ms: Annotated[int, Field(ge=0)]
    """Milliseconds since this engine began."""


class ThreadChanged(_Signal):
    """A thread of the user is new, or its title, queue or state moved. Goes to all of the user's connections."""

    type: Literal["thread_changed"] = "thread_changed"
    thread: ThreadItem
    """The thread as it is now."""


Signal = AgentHeartbeat | ThreadChanged
AnySignal = Annotated[Signal, Field(discriminator="type")]
