"""Many runs of many users under faults, and what is left of the promises."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from tests.faults import verdict
from tests.faults.control import ENGINE, Control
from tests.faults.deaths import DeathWatch
from tests.faults.device import Device, NoAnswer
from tests.faults.figures import Recoveries, recoveries
from tests.faults.ledger import Ledger
from tests.faults.person import END_S, Person
from tests.faults.reading import Past, read_all
from tests.faults.reducer import RunView
from tests.faults.scenarios import SCENARIOS, Scenario, play
from tests.faults.storm import Storm

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


@dataclass
class Result:
    """What came of it."""

    ledger: Ledger
    took_s: float
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    resumes: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    recovered: Recoveries = field(default_factory=Recoveries)
    hanging: int = 0


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
            result = Result(self._ledger, 0.0)
            await self._settle(result)
            self._say("all devices are settled; fresh ones read everything")
            pasts = await self._read()
        self._judge(result, pasts)
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
            ended = sum(_ended(run, self._people) for run in self._ledger.admitted)
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
        result.hanging = sum(not _ended(run, self._people) for run in self._ledger.admitted)

    async def _read(self) -> dict[str, Past]:
        pasts: dict[str, Past] = {}
        for person in self._people:
            await self._tell_notes(person)
            pasts[person.name] = await read_all(self._url, person.name, self._ledger)
        return pasts

    async def _tell_notes(self, person: Person) -> None:
        """Asks for the notes, when nothing disturbs any more."""
        if not person.notes:
            return
        try:
            run = await person.say("What do you recall about me?", kind="recall")
            end = await person.devices[0].end_of(run.run_id, wait_s=60)
        except (NoAnswer, AssertionError) as error:
            self._ledger.violate(f"notes of {person.name}: {error}")
            return
        told = str(end["payload"].get("result", ""))
        for marker, keeper in person.notes.items():
            views = [_view(run_id, [person]) for run_id in (keeper, person.forgettings.get(marker, ""))]
            if views[0] is not None:
                for wrong in verdict.of_note(marker, told, keeper=views[0], forgetter=views[1]):
                    self._ledger.violate(wrong)

    def _judge(self, result: Result, pasts: dict[str, Past]) -> None:
        violate = self._ledger.violate
        owners: dict[str, str] = {}
        for person in self._people:
            past = pasts[person.name]
            for item in past.items:
                if item.get("active_run") or item.get("queue"):
                    violate(f"{item['thread_id']} of {person.name} is still active: {item}")
            for thread in past.threads.values():
                for run in thread.runs.values():
                    for wrong in verdict.of_run(run, self._ledger.admitted.get(run.run_id)):
                        violate(wrong)
                for wrong in verdict.of_history(thread, past.histories[thread.thread_id]):
                    violate(wrong)
            for device in person.devices:
                for wrong in verdict.of_device(device.name, device.threads, past.threads):
                    violate(wrong)
                for run_id in (run for view in device.threads.values() for run in view.runs):
                    if owners.setdefault(run_id, person.name) != person.name:
                        violate(f"{run_id} reached {person.name} and {owners[run_id]}")
        self._count(result, pasts)

    def _count(self, result: Result, pasts: dict[str, Past]) -> None:
        runs = {
            run.run_id: run for past in pasts.values() for view in past.threads.values() for run in view.runs.values()
        }
        for run_id, admitted in self._ledger.admitted.items():
            run = runs.get(run_id)
            if run is None:
                self._ledger.violate(f"lost: {run_id} of {admitted.user} was accepted, and nobody finds it")
                continue
            outcome = result.outcomes.setdefault(admitted.kind, Counter())
            outcome[_outcome(run)] += 1
            result.resumes.update(event["payload"]["reason"] for event in run.of("agent_resumed"))
        for run_id in runs.keys() - self._ledger.admitted.keys():
            self._ledger.violate(f"{run_id} was never accepted: {runs[run_id].events.get(1)}")
        result.struck = self._control.struck()
        result.deaths = Counter(death.function for death in self._watch.deaths)
        result.recovered = recoveries(runs.values(), (one for one in self._watch.deaths if one.function == ENGINE))


def _runs_of(person: Person) -> int:
    return sum(admitted.user == person.name for admitted in person.ledger.admitted.values())


def _view(run_id: str, people: Sequence[Person]) -> RunView | None:
    views = [view for person in people for device in person.devices if (view := device.run(run_id)) is not None]
    return next((view for view in views if view.end is not None), views[0] if views else None)


def _ended(run_id: str, people: Sequence[Person]) -> bool:
    view = _view(run_id, people)
    return view is not None and view.end is not None


def _open(device: Device) -> list[RunView]:
    return [run for view in device.threads.values() for run in view.runs.values() if run.end is None]


def _outcome(run: RunView) -> str:
    end = run.end
    if end is None:
        return "none"
    code = end["payload"].get("code")
    return f"{end['type'].removeprefix('agent_')}{f' {code}' if code else ''}"
