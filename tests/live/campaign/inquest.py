"""After the faults: every user's past is read by a device that was never there, and held against the promises."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.live.campaign.person import Person
from tests.live.campaign.reading import Past, read_all
from tests.live.campaign.result import Result
from tests.live.kit import verdict
from tests.live.kit.device import NoAnswer
from tests.live.kit.ledger import Admitted
from tests.live.kit.reducer import RunView

AT_ONCE = 4
ACTIVE_RUNS = 40
"""Runs that a user may have under way or queued at once."""
THREAD_RUNS = 21
"""Of these in one thread: one under way, the others queued."""
OVER = frozenset({"quota_exceeded"})
CALM_S = 60.0
"""How long anything may take when nothing disturbs."""


class Inquest:
    """Looks at everybody who played."""

    def __init__(self, url: str, people: Sequence[Person], result: Result) -> None:
        self._url, self._people, self._result = url, people, result
        self._ledger = result.ledger
        self._pasts: dict[str, Past] = {}

    async def hold(self) -> None:
        """Asks, reads and judges; what is wrong goes into the ledger."""
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._look_at(person, gate) for person in self._people))
        had = Counter(run.user for run in self._ledger.admitted.values())
        busiest = max(self._people, key=lambda person: had[person.name])
        try:
            await self._quota(busiest)
        except (NoAnswer, AssertionError) as error:
            self._ledger.violate(f"afterwards, of {busiest.name}: {error}")
        self._pasts[busiest.name] = await read_all(self._url, busiest.name, self._ledger)
        for person in self._people:
            self._judge(person, self._pasts[person.name])
        self._nobody_saw_anothers()
        self._count()

    async def _look_at(self, person: Person, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                await self._notes(person)
            except (NoAnswer, AssertionError) as error:
                self._ledger.violate(f"afterwards, of {person.name}: {error}")
            self._pasts[person.name] = await read_all(self._url, person.name, self._ledger)

    async def _notes(self, person: Person) -> None:
        """Effects happened once: each note is told as often as it was kept."""
        if not person.notes:
            return
        run = await person.say("What do you recall about me?", kind="recall")
        end = await person.devices[0].end_of(run.run_id, wait_s=CALM_S)
        told = str(end["payload"].get("result", ""))
        for marker, keeper in person.notes.items():
            kept, forgot = _seen(keeper, person), _seen(person.forgettings.get(marker, ""), person)
            if kept is not None:
                for wrong in verdict.of_note(marker, told, keeper=kept, forgetter=forgot):
                    self._ledger.violate(wrong)

    async def _quota(self, person: Person) -> None:
        """No ended run counts any more: the user may have as many under way as ever, and not one more."""
        device, runs = person.devices[0], list[Admitted]()
        while len(runs) <= ACTIVE_RUNS:
            thread = runs[-1].thread_id if len(runs) % THREAD_RUNS else None
            run = await person.try_to_say("x", kind="quota", agent="silent", final=OVER, thread_id=thread)
            if isinstance(run, Admitted):
                runs.append(run)
            elif "within a minute" in run["message"]:
                await asyncio.sleep(5)  # the other half of the quota: what was started before, ended or not
            else:
                break
        if len(runs) != ACTIVE_RUNS:
            self._ledger.violate(f"{person.name} may have {len(runs)} runs under way, not {ACTIVE_RUNS}")
        for run in reversed(runs):
            await device.request("cancel", {"run_id": run.run_id})
        for run in runs:
            await device.end_of(run.run_id, wait_s=CALM_S)

    def _judge(self, person: Person, past: Past) -> None:
        wrong: list[str] = []
        for item in past.items:
            if item.get("active_run") or item.get("queue"):
                wrong.append(f"{item['thread_id']} of {person.name} is still active: {item}")
            if item["thread_id"] in self._ledger.forgotten:
                wrong.append(f"{item['thread_id']} of {person.name} was forgotten, and is listed")
            if item["title"] != person.titles.get(item["thread_id"], item["title"]):
                wrong.append(f"{item['thread_id']} is called {item['title']!r} after it was renamed")
        for thread in past.threads.values():
            for run in thread.runs.values():
                wrong += verdict.of_run(run, self._ledger.admitted.get(run.run_id))
            wrong += verdict.of_history(thread, past.histories[thread.thread_id])
        for device in person.devices:
            seen = {name: view for name, view in device.threads.items() if name not in self._ledger.forgotten}
            wrong += verdict.of_device(device.name, seen, past.threads)
        for what in wrong:
            self._ledger.violate(what)

    def _nobody_saw_anothers(self) -> None:
        owners: dict[str, str] = {}
        for person in self._people:
            for device in person.devices:
                for run_id in (run for view in device.threads.values() for run in view.runs):
                    if owners.setdefault(run_id, person.name) != person.name:
                        self._ledger.violate(f"{run_id} reached {person.name} and {owners[run_id]}")

    def _count(self) -> None:
        runs = {
            run.run_id: run
            for past in self._pasts.values()
            for view in past.threads.values()
            for run in view.runs.values()
        }
        for run_id, admitted in self._ledger.admitted.items():
            outcome = self._result.outcomes.setdefault(admitted.kind, Counter())
            run = runs.get(run_id)
            if run is not None:
                outcome[_outcome(run)] += 1
                self._result.resumes.update(event["payload"]["reason"] for event in run.of("agent_resumed"))
            elif admitted.thread_id in self._ledger.forgotten:
                outcome["forgotten"] += 1
            else:
                self._ledger.violate(f"lost: {run_id} of {admitted.user} was accepted, and nobody finds it")
        for run_id in runs.keys() - self._ledger.admitted.keys():
            self._ledger.violate(f"{run_id} was never accepted: {runs[run_id].events.get(1)}")

    @property
    def runs(self) -> list[RunView]:
        """All runs as a fresh device read them."""
        return [run for past in self._pasts.values() for view in past.threads.values() for run in view.runs.values()]


def _seen(run_id: str, person: Person) -> RunView | None:
    """The run as one of the person's devices saw it to its end."""
    views = (device.run(run_id) for device in person.devices)
    return next((view for view in views if view is not None and view.end is not None), None)


def _outcome(run: RunView) -> str:
    end = run.end
    if end is None:
        return "none"
    code = end["payload"].get("code")
    return f"{end['type'].removeprefix('agent_')}{f' {code}' if code else ''}"
