"""An invoker that keeps what it was asked for."""

from dayfly.ports.invoker import EngineCall


class MemoryInvoker:
    """Records calls in `calls` and `warmed`; `fail_with`, when set, is raised instead."""

    def __init__(self) -> None:
        self.calls: list[EngineCall] = []
        self.warmed: list[tuple[str, str]] = []
        self.fail_with: Exception | None = None

    async def start(self, call: EngineCall) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.calls.append(call)

    async def warm_up(self, *, user: str, tenant: str) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.warmed.append((user, tenant))
