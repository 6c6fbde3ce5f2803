"""The one reference of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRef:
    """Which run: whose it is, and the thread it belongs to. The ids are those of the wire, of keys and of logs."""

    user_id: str
    tenant_id: str
    thread_id: str
    run_id: str


class OfRun:
    """Base of types that belong to a run: they have its `ref`, and its ids as properties."""

    __slots__ = ()

    ref: RunRef

    @property
    def user_id(self) -> str:
        """The user whose run it is."""
        return self.ref.user_id

    @property
    def tenant_id(self) -> str:
        """The user's tenant; the user themself where there is none."""
        return self.ref.tenant_id

    @property
    def thread_id(self) -> str:
        """The run's thread."""
        return self.ref.thread_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self.ref.run_id
