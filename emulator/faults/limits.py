"""Limits that are shorter for a while."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emulator.faults.models import BadFault, explain
from emulator.functions.options import LambdaLimits
from emulator.gateway.limits import Limits


class Limited(Protocol):
    """What keeps limits: one port of the gateway."""

    def limit(self, limits: Limits) -> None:
        """Keep these from now on, for what is open too."""
        ...


class LimitedFunctions(Protocol):
    """What keeps the limits of Lambda."""

    def limit(self, limits: LambdaLimits) -> None:
        """Keep these from now on."""
        ...


@dataclass(frozen=True)
class AllLimits:
    """The limits of the gateway and of Lambda, by names that differ."""

    gateway: Limits = field(default_factory=Limits)
    functions: LambdaLimits = field(default_factory=LambdaLimits)

    def figures(self) -> dict[str, float]:
        """All of them by name."""
        return {**asdict(self.gateway), **asdict(self.functions)}

    def shortened(self, name: str, value: float) -> "AllLimits":
        """A copy with one limit changed. Raises `ValueError` for an unknown name or a value that can't be."""
        if name in asdict(self.gateway):
            return replace(self, gateway=self.gateway.shortened(name, value))
        if name in asdict(self.functions):
            return replace(self, functions=self.functions.shortened(name, value))
        raise ValueError(f"no limit is called {name!r}; there are {', '.join(self.figures())}")


class LimitChange(BaseModel):
    """New values by name (seconds or bytes), until they are cleared or `duration_s` has passed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    limits: Annotated[Mapping[str, float], Field(min_length=1)]
    duration_s: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] | None = None


def parse_change(text: bytes) -> LimitChange:
    """A change from its JSON. Raises `BadFault`."""
    try:
        return LimitChange.model_validate_json(text)
    except ValidationError as error:
        raise BadFault(explain(error)) from error


class LimitControl:
    """Changes the limits of all ports and of Lambda at once. `configured` are those that hold when nothing is
    changed."""

    def __init__(self, configured: AllLimits) -> None:
        self.configured = configured
        self.present = configured
        self._fronts: tuple[Limited, ...] = ()
        self._functions: LimitedFunctions | None = None
        self._ends: dict[str, asyncio.TimerHandle] = {}

    def serve(self, *fronts: Limited, functions: LimitedFunctions | None = None) -> None:
        """Act on these from now on."""
        self._fronts = fronts
        self._functions = functions

    def change(self, change: LimitChange) -> None:
        """Set these limits; one that was set before gets the new value and the new end. Raises `BadFault`."""
        limits = self.present
        try:
            for name, value in change.limits.items():
                limits = limits.shortened(name, value)
        except ValueError as error:
            raise BadFault(str(error)) from error
        loop = asyncio.get_running_loop()
        for name in change.limits:
            self._forget(name)
            if change.duration_s is not None:
                self._ends[name] = loop.call_later(change.duration_s, self._restore, name)
        self._apply(limits)

    def clear(self) -> None:
        """Go back to what was configured."""
        for name in tuple(self._ends):
            self._forget(name)
        self._apply(self.configured)

    def _restore(self, name: str) -> None:
        self._forget(name)
        self._apply(self.present.shortened(name, self.configured.figures()[name]))

    def _forget(self, name: str) -> None:
        timer = self._ends.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _apply(self, limits: AllLimits) -> None:
        self.present = limits
        for front in self._fronts:
            front.limit(limits.gateway)
        if self._functions is not None:
            self._functions.limit(limits.functions)
