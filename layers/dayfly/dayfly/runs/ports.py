"""What a run's life stands on, in one bundle."""

from dataclasses import dataclass, fields

from dayfly.clock import Clock
from dayfly.delivery.poster import Poster
from dayfly.errors import ConfigurationError
from dayfly.metrics import Meter
from dayfly.runs.invoker import Invoker
from dayfly.store.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ways to the world that router, engines and recovery share. Process-lived; holds nothing of any user.

    None of them can be built per run: `None` in the place of one raises `ConfigurationError`, which names it.
    """

    table: Table
    poster: Poster
    invoker: Invoker
    clock: Clock
    meter: Meter

    def __post_init__(self) -> None:
        missing = [field.name for field in fields(self) if getattr(self, field.name) is None]
        if missing:
            raise ConfigurationError(f"cannot be built per run, so must be given: {', '.join(missing)}")
