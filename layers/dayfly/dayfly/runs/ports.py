"""The ports that router, engines and recovery share."""

from dataclasses import dataclass, fields

from dayfly.clock import Clock
from dayfly.delivery.poster import Poster
from dayfly.errors import ConfigurationError
from dayfly.metrics import Meter
from dayfly.runs.invoker import Invoker
from dayfly.store.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Table, poster, invoker, clock and meter. Process-lived; holds no user data.

    Raises `ConfigurationError` if one of them is `None`, and names it: none of them can be built per run.
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
