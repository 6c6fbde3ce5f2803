"""What people do in a schedule: who they are, how many devices they have, and what they send when."""

from typing import TYPE_CHECKING, Final, Protocol

from tests.simulation import programs
from tests.simulation.agents import MISSING
from tests.simulation.device import Device
from tests.simulation.view import JsonObject, View

if TYPE_CHECKING:
    from tests.simulation.world import World

USERS: Final = ("u-alice", "u-bob")
MODES: Final = ("enqueue", "enqueue", "interrupt", "reject", None)


class Deed(Protocol):
    """What a device does, by its name."""

    __name__: str

    def __call__(self, device: Device) -> None:
        """Does it."""


class Story:
    """Some deeds at some times, drawn from the seed; what they are about is drawn when they are done."""

    def __init__(self, world: "World") -> None:
        dice = world.dice
        self._world = world
        users = USERS[: dice.weighted([(4, 1), (1, 2)])]
        self.devices = [
            Device(world, f"{user[2:]}{number + 1}", user, thorough=number % 2 > 0)
            for user in users
            for number in range(dice.weighted([(4, 1), (2, 2), (1, 3)]) + world.hazards.crowd)
        ]
        self.span_s = dice.weighted([(2, 0.3), (3, 3.0), (2, 12.0)])
        self._deeds = dice.weighted([(3, 0), (4, 2), (3, 5), (1, 10)])
        self._preferred: frozenset[str] = frozenset()
        self._answering = dice.pick((0.0, 0.5, 1.0))

    def prefer(self, deeds: frozenset[str]) -> None:
        """Has some deeds done far more often, and more of all; with `question`, most messages lead to one."""
        if deeds:
            self._preferred = deeds
            self._deeds = max(self._deeds, 5)

    def begin(self) -> None:
        """Connects everybody, and sets all times."""
        world = self._world
        dice = world.dice
        for place, device in enumerate(self.devices):
            world.later(0.0 if place == 0 else dice.between(0.0, self.span_s), device.connect)
        weights = [
            (weight * 8 if deed.__name__.strip("_") in self._preferred else weight, deed)
            for weight, deed in self._weights()
        ]
        at = 0.05
        for deed in (self._run, *(dice.weighted(weights) for _ in range(self._deeds))):
            world.later(at, self._do, deed)
            at = dice.between(0.05, 0.05 + self.span_s)

    def _weights(self) -> list[tuple[float, Deed]]:
        return [
            (4, self._run),
            (3, self._run_more),
            (1.5, self._run_twice),
            (0.4, self._reuse),
            (3, self._cancel),
            (0.7, self._cancel_request),
            (1.5, self._attach),
            (0.7, self._detach),
            (0.7, self._reload),
            (2, self._drop),
            (0.5, self._stick),
            (0.5, self._read),
            (0.5, self._rename),
            (0.4, self._forget),
            (0.4, self._pry),
            *([(12.0, self._flap)] if self._world.hazards.crowd else []),
            *([(12.0, self._half_forget)] if self._world.hazards.half_forgotten else []),
        ]

    def _do(self, deed: Deed) -> None:
        deed(self._world.dice.pick(self.devices))

    # Deeds.

    def _text(self) -> str:
        if "question" in self._preferred and self._world.dice.chance(0.7):
            return "1 0.05 ask:0.1 | 1 0.05"
        return programs.drawn(self._world.dice, lifetime_s=self._world.platform.lifetime_s).text

    def _run(self, device: Device) -> None:
        hazards = self._world.hazards
        missing = hazards.uninstalled > 0 and hazards.dice.chance(0.2)
        device.ask("run", text=self._text(), **self._mode(), **({"agent": MISSING} if missing else {}))

    def _mode(self) -> JsonObject:
        mode = self._world.dice.pick(MODES)
        return {} if mode is None else {"if_busy": mode}

    def _run_more(self, device: Device) -> None:
        """Goes on with a thread."""
        thread = self._some_thread(device)
        if thread is not None:
            device.ask("run", text=self._text(), thread_id=thread, **self._mode())

    def _run_twice(self, device: Device) -> None:
        """The same request over two sockets, at the same time or a little later."""
        dice = self._world.dice
        other = dice.pick([other for other in self.devices if other.user == device.user])
        thread = self._some_thread(device) if dice.chance(0.5) else None
        fields = {"text": self._text(), **self._mode(), **({"thread_id": thread} if thread else {})}
        request = device.ask("run", **fields)
        self._world.later(dice.pick((0.0, 0.01, 1.0)), lambda: other.ask("run", request=request, **fields))

    def _reuse(self, device: Device) -> None:
        """A known id with other content."""
        runs = self._known_requests(device)
        if runs:
            request = self._world.dice.pick(runs)
            if request not in device.pending:
                device.ask("run", request=request, text=self._text())

    def _cancel(self, device: Device) -> None:
        """Early, late, twice."""
        view = self._some_view(device)
        if view is not None:
            for _ in range(1 + self._world.dice.chance(0.2)):
                device.ask("cancel", run_id=view.run)

    def _cancel_request(self, device: Device) -> None:
        """A request that was sent, or is only about to be."""
        dice = self._world.dice
        runs = self._known_requests(device)
        if runs and dice.chance(0.6):
            device.ask("cancel", request_id=dice.pick(runs))
            return
        request = f"early-{device.name}-{dice.upto(1000)}"
        device.ask("cancel", request_id=request)
        self._world.later(dice.pick((0.0, 0.5)), lambda: device.ask("run", request=request, text=self._text()))

    def _attach(self, device: Device) -> None:
        thread = self._some_thread(device)
        if thread is not None:
            device.attach(thread)

    def _detach(self, device: Device) -> None:
        if device.watched:
            device.detach(self._world.dice.pick(list(device.watched)))

    def _reload(self, device: Device) -> None:
        """The page is loaded anew."""
        dice = self._world.dice
        device.disconnect(known=dice.chance(0.5))
        for thread in list(device.watched):
            if dice.chance(0.5):
                device.forget_views(thread)
        self._world.later(dice.between(0.0, 2.0), device.connect)

    def _drop(self, device: Device) -> None:
        """The socket is lost, and comes back, or not."""
        dice = self._world.dice
        device.disconnect(known=dice.chance(0.5))
        if dice.chance(0.8):
            self._world.later(dice.between(0.05, 6.0), device.connect)

    def _flap(self, device: Device) -> None:
        """All of a user's sockets are lost, one after the other, as on a bad line, and come back at once."""
        hazards = self._world.hazards
        for other in self.devices:
            if other.user == device.user and hazards.dice.chance(0.7):
                other.disconnect(known=True)
                self._world.later(hazards.dice.between(0.01, 0.4), other.connect)

    def _half_forget(self, device: Device) -> None:
        """A thread with a queue is forgotten, and the page closed before that is answered."""
        world, thread = self._world, self._some_thread(device)
        if thread is None:
            return
        for _ in range(2):
            device.ask("run", text=self._text(), thread_id=thread, if_busy="enqueue")
        world.later(0.3, lambda: self._forget_and_leave(device, thread))

    def _forget_and_leave(self, device: Device, thread: str) -> None:
        hazards = self._world.hazards
        request = device.ask("forget", thread_id=thread)
        self._world.later(hazards.dice.between(0.1, 0.5), lambda: device.pending.pop(request, None))

    def _stick(self, device: Device) -> None:
        """The socket takes nothing for a while."""
        if device.connection is not None:
            seconds = self._world.dice.pick((1.0, 4.0, 20.0))
            device.connection.stuck_until = self._world.loop.now + (self._world.hazards.stuck_s or seconds)
            self._world.truth.reached.add(f"socket stuck: {self._world.hazards.stuck_s or seconds:.0f}")

    def _read(self, device: Device) -> None:
        device.ask("threads")
        thread = self._some_thread(device)
        if thread is not None:
            device.ask("history", thread_id=thread)

    def _rename(self, device: Device) -> None:
        thread = self._some_thread(device)
        if thread is not None:
            device.ask("rename", thread_id=thread, title=f"title {self._world.dice.upto(100)}")

    def _forget(self, device: Device) -> None:
        thread = self._some_thread(device)
        if thread is not None:
            device.ask("forget", thread_id=thread)

    def _pry(self, device: Device) -> None:
        """Another user's ids, for which there must be no such thing."""
        dice = self._world.dice
        strangers = [told for told in self._world.truth.runs.values() if told.user != device.user]
        if not strangers:
            return
        told = dice.pick(strangers)
        action = dice.pick(("run", "attach", "history", "rename", "forget", "cancel", "approve"))
        if action in {"cancel", "approve"}:
            answer: JsonObject = {"tool_call_id": "c-0.1-0", "approved": True} if action == "approve" else {}
            device.ask(action, run_id=told.run, **answer)
        else:
            more: JsonObject = {"run": {"text": self._text()}, "rename": {"title": "mine"}}
            device.ask(action, thread_id=told.thread, **more.get(action, {}))

    # What deeds are about.

    def _known_requests(self, device: Device) -> list[str]:
        asked = self._world.truth.asked.items()
        return [name for (user, name), sent in asked if user == device.user and sent[0]["action"] == "run"]

    def _some_thread(self, device: Device) -> str | None:
        """One of the user's threads; as a list of threads would show it."""
        threads = self._world.lines.of_user(device.user)
        return self._world.dice.pick(threads) if threads else None

    def _some_view(self, device: Device) -> View | None:
        views = list(device.views.values())
        live = [view for view in views if not view.done]
        return self._world.dice.pick(live or views) if views else None

    def asked_for_approval(self, device: Device, event: JsonObject) -> None:
        """A device shows a question: its user answers, or does not, or does so twice."""
        dice = self._world.dice
        if not dice.chance(self._answering):
            return
        for _ in range(1 + dice.chance(0.2)):
            approved = dice.chance(0.6)
            fields = {"run_id": event["run_id"], "tool_call_id": event["payload"]["tool_call_id"], "approved": approved}
            self._world.later(dice.pick((0.05, 1.0, 10.0)) * dice.between(0.5, 1.5), self._answer, device, fields)

    def _answer(self, device: Device, fields: JsonObject) -> None:
        device.ask("approve", **fields)

    # Hours later.

    def leave(self) -> None:
        """Everybody goes; of some sockets nobody is told that they have ended."""
        for device in self.devices:
            if device.connection is not None and self._world.hazards.dice.chance(0.5):
                device.connection.open = device.connection.heard = False
            device.disconnect(known=True)

    def begin_again(self) -> None:
        """Some more, hours after the rest; also what was asked for then, once more."""
        world, dice = self._world, self._world.dice
        deeds: list[tuple[float, Deed]] = [
            (1, self._run),
            (1, self._run_more),
            (2, self._repeat),
            (1, self._reuse),
            (1, self._cancel_request),
        ]
        for _ in range(3):
            world.later(dice.between(0.0, self.span_s), self._do, dice.weighted(deeds))

    def _repeat(self, device: Device) -> None:
        """A request of before, to the letter."""
        runs = self._known_requests(device)
        if runs:
            request = self._world.dice.pick(runs)
            if not any(request in other.pending for other in self.devices):
                device.send_again(self._world.truth.asked[device.user, request][0])

    # The end.

    def come_back(self) -> None:
        """Everybody is connected and well."""
        for device in self.devices:
            if device.connection is not None:
                device.connection.stuck_until = 0.0
                if not device.connection.heard:
                    device.connection = None
            device.connect()

    def look_at_all(self) -> None:
        """Everybody asks for the list of threads and watches all of them; one device of each user reads its
        histories."""
        for place, device in enumerate(self.devices):
            device.ask("threads")
            reads = all(other.user != device.user for other in self.devices[:place])
            for name in self._world.lines.of_user(device.user):
                if not self._world.lines.threads[name].forgotten:
                    device.attach(name)
                    if reads:
                        device.read_back(name)
