"""Many runs of many users under faults, and what is left of the promises."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.live.campaign.deaths import DeathWatch
from tests.live.campaign.figures import recoveries
from tests.live.campaign.inquest import Inquest
from tests.live.campaign.person import END_S, Person
from tests.live.campaign.result import Result
from tests.live.campaign.scenarios import SCENARIOS, Scenario, play
from tests.live.campaign.storm import Storm
from tests.live.kit.control import ENGINE, RECOVERY, Control
from tests.live.kit.device import Device, NoAnswer
from tests.live.kit.ledger import Admitted, Ledger
from tests.live.kit.reducer import RunView

RUNS_OF_A_USER = 12


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`pace_s`: seconds between two faults on average; `at_once`: users who are busy at the same time."""

    runs: int
    seed: int
    at_once: int = 6
    pace_s: float = 1.0
    scenarios: tuple[tuple[int, Scenario], ...] = SCENARIOS
    settle_s: float = END_S


class Campaign:
    """One campaign against one emulator."""

    def __init__(self, url: str, lines: list[str], plan: Plan, *, say: Callable[[str], None] = lambda _: None) -> None:
        self._url, self._plan, self._say = url, plan, say
        self._rng = random.Random(plan.seed)
        self._ledger = Ledger()
        self._control = Control(url)
        self._watch = DeathWatch(lines)
        self._people: list[Person] = []
        self._devices: list[Device] = []
        self._storm = Storm(self._control, random.Random(self._rng.random()), self._devices, pace_s=plan.pace_s)

    async def run(self) -> Result:
        """Lets everybody play under faults, then calms down and looks."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            watching = asyncio.create_task(self._watch.run())
            stack.callback(watching.cancel)
            raging = asyncio.create_task(self._storm.rage())
            telling = asyncio.create_task(self._tell(began))
            try:
                await asyncio.gather(*(self._player(stack) for _ in range(self._plan.at_once)))
                self._say("all have played; the faults end")
            finally:
                telling.cancel()
                raging.cancel()
                storms = await asyncio.gather(raging, return_exceptions=True)
            for broken in storms:
                if isinstance(broken, Exception):
                    raise broken
            await self._control.calm()
            result = Result(self._ledger, played=len(self._ledger.admitted))
            await self._settle(result)
            self._say("all devices are settled; fresh ones read everything")
            inquest = Inquest(self._url, self._people, result)
            await inquest.hold()
        result.struck = self._control.struck()
        result.deaths = Counter(death.function for death in self._watch.deaths)
        engines = (death for death in self._watch.deaths if death.function == ENGINE)
        result.recovered = recoveries(inquest.runs, engines)
        result.disturbed = [(at, name) for at, name in self._control.injected if RECOVERY in name]
        result.took_s = time.monotonic() - began
        return result

    async def _player(self, stack: AsyncExitStack) -> None:
        """One user after another, until there are runs enough."""
        while len(self._ledger.admitted) < self._plan.runs:
            person = await self._person(stack)
            for _ in range(RUNS_OF_A_USER):
                if len(self._ledger.admitted) >= self._plan.runs or _runs_of(person) >= RUNS_OF_A_USER:
                    break
                (_, scenario), *_ = person.rng.choices(
                    self._plan.scenarios, [weight for weight, _ in self._plan.scenarios]
                )
                await play(person, scenario)

    async def _person(self, stack: AsyncExitStack) -> Person:
        name = f"p{self._plan.seed}-{len(self._people)}"
        rng = random.Random(self._rng.random())
        person = Person(name, [], self._ledger, rng)
        self._people.append(person)
        for number in range(rng.choice((1, 2, 2, 3))):
            device = Device(
                self._url,
                name,
                f"{name}-{number}",
                self._ledger,
                random.Random(rng.random()),
                overhear=self._storm.overhear,
            )
            person.devices.append(await stack.enter_async_context(device))
            self._devices.append(device)
        return person

    async def _tell(self, began: float) -> None:
        while True:
            await asyncio.sleep(10)
            ended = sum(_ended(run, self._people) for run in self._ledger.admitted.values())
            deaths = sum(death.function == ENGINE for death in self._watch.deaths)
            self._say(
                f"{time.monotonic() - began:4.0f} s: {len(self._ledger.admitted)} of {self._plan.runs} runs accepted, "
                f"{ended} ended, {deaths} engines killed at work, {self._ledger.counts['sockets lost']} sockets lost, "
                f"{len(self._ledger.violations)} violations"
            )

    async def _settle(self, result: Result) -> None:
        """Every device sees the end of everything it follows; what does not end hangs."""
        until = time.monotonic() + self._plan.settle_s
        for device in self._devices:
            try:
                left = max(1.0, until - time.monotonic())
                await device.until(lambda device=device: not _open(device), wait_s=left, what="all ends")  # type: ignore[misc]
            except NoAnswer as error:
                self._ledger.violate(f"{error}: {[(run.run_id, run.held, run.told) for run in _open(device)]}")
        result.hanging = sum(not _ended(run, self._people) for run in self._ledger.admitted.values())


def _runs_of(person: Person) -> int:
    return sum(admitted.user == person.name for admitted in person.ledger.admitted.values())


def _ended(admitted: Admitted, people: Sequence[Person]) -> bool:
    views = (device.run(admitted.run_id) for person in people for device in person.devices)
    return admitted.thread_id in people[0].ledger.forgotten or any(view is not None and view.end for view in views)


def _open(device: Device) -> list[RunView]:
    views = (view for view in device.threads.values() if not view.forgotten)
    return [run for view in views for run in view.runs.values() if run.end is None]
