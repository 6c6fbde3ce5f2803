"""What clients asked for, and what the answers promised them."""

from typing import Final

from tests.simulation.truth import Appended, JsonObject, Told, Truth

NOT_THERE: Final = frozenset({"thread_not_found", "run_not_found", "cancelled", "id_reused", "quota_exceeded"})
"""Answers that say nothing of what is not the asker's: the last three are about the request itself."""

REMEMBERED_S: Final = 24 * 3600.0
"""How long a request id is promised to be remembered, and no longer."""
SLACK_S: Final = 60.0
"""An answer may be that old when its time is compared, and a clock be cut to whole seconds."""


class Requests:
    """Every request of every user: each id runs once within 24 hours, and every answer holds. `slack_s`: how wrong the
    clocks may be that count the hours."""

    def __init__(self, truth: Truth, *, slack_s: float) -> None:
        self._slack_s = SLACK_S + slack_s
        self.by_request: dict[tuple[str, str], Told] = {}
        self.barred: dict[tuple[str, str], float] = {}
        """Requests that were cancelled before they were admitted, and when."""
        self.to_end: set[str] = set()
        """Runs, and threads with all that is in them, that somebody wants to end."""
        self.forgotten: dict[tuple[str, str], set[str]] = {}
        """Threads that a client was told are forgotten, with the requests that were sent before."""
        self._truth = truth
        truth.listeners.append(self._appended)

    def _of_others(self, user: str, frame: JsonObject, reply: JsonObject) -> None:
        """What is another user's, or was forgotten before it was asked for, is not there."""
        runs = self._truth.runs
        told = runs.get(frame.get("run_id", ""))
        thread = told.thread if told is not None else frame.get("thread_id")
        if thread is None:
            return
        owner = next((other.user for other in runs.values() if other.thread == thread), user)
        gone = (owner, thread) in self.forgotten and frame["id"] not in self.forgotten[owner, thread]
        silent = reply.get("code") in NOT_THERE or reply["type"] in {"forgotten", "detached"}
        if (owner != user or gone) and not silent:
            self._truth.violated(f"{frame} of {user} was answered with {reply['type']}, though it is not there for it")
        if owner == user and reply["type"] == "forgotten":
            asked = {name for who, name in self._truth.asked if who == user}
            self.forgotten.setdefault((user, thread), asked)

    def _remembered(self, since: float) -> bool:
        """An id of that time must still be known."""
        return self._truth.now() - since < REMEMBERED_S - self._slack_s

    def _over(self, since: float) -> bool:
        """An id of that time must not be known any more."""
        return self._truth.now() - since > REMEMBERED_S + self._slack_s

    def asks(self, user: str, frame: JsonObject) -> None:
        """A client sends a request, perhaps not for the first time."""
        sent = self._truth.asked.setdefault((user, frame["id"]), [])
        if frame not in sent:
            sent.append(frame)
        runs = self._truth.runs
        match frame["action"]:
            case "approve" if frame["approved"] and frame["run_id"] in runs and runs[frame["run_id"]].user == user:
                runs[frame["run_id"]].approved.add(frame["tool_call_id"])
            case "cancel" if "run_id" in frame and frame["run_id"] in runs and runs[frame["run_id"]].user == user:
                self.to_end.add(frame["run_id"])
            case "forget" if any(told.user == user for told in runs.values() if told.thread == frame["thread_id"]):
                self.to_end.add(frame["thread_id"])

    def answered(self, user: str, frame: JsonObject, reply: JsonObject) -> None:
        """A client has its answer."""
        self._truth.reached.add(f"{frame['action']}: {reply.get('code') or reply.get('status') or reply['type']}")
        self._of_others(user, frame, reply)
        told = self.by_request.get((user, frame["id"]))
        if reply["type"] == "error" and reply["code"] in {"internal", "not_supported", "invalid_message"}:
            self._truth.violated(f"{frame} was answered with {reply['code']}")
        elif reply["type"] == "accepted":
            if told is None or (told.run, told.thread) != (reply["run_id"], reply["thread_id"]):
                self._truth.violated(f"{frame['id']} is accepted as {reply['run_id']}, but runs as {told and told.run}")
            elif self._over(told.admitted):
                self._truth.violated(f"{frame['id']} is answered with {told.run}, which is of another day")
        elif frame["action"] == "run" and reply["code"] == "cancelled":
            if told is not None and self._remembered(told.admitted):
                self._truth.violated(f"{frame['id']} is answered with cancelled, but runs as {told.run}")
        elif frame["action"] == "run" and reply["code"] == "id_reused":
            if told is None or self._over(told.admitted):
                self._truth.violated(f"{frame['id']} is refused as used within a day, which it is not")
        elif reply["type"] == "cancelling" and "run_id" not in reply:
            request = (user, frame["request_id"])
            self.barred[request] = self._truth.now()
            if request in self.by_request and self._remembered(self.by_request[request].admitted):
                self._truth.violated(f"{frame['id']} found no run of {frame['request_id']}, which is there")

    def _appended(self, appended: Appended) -> None:
        told = appended.told
        if appended.is_first:
            self._admitted(told)
        wanted = not self.to_end.isdisjoint({told.run, told.thread})
        if told.terminal == "agent_cancelled" and not wanted and not self._by_request(told):
            self._truth.violated(f"{told.run}: cancelled, which nobody wanted")

    def _admitted(self, told: Told) -> None:
        request = (told.user, told.frame["id"])
        if request in self.barred and self._remembered(self.barred[request]):
            self._truth.violated(f"{told.run}: admitted, but its request {request} was cancelled before")
        if request in self.by_request and self._remembered(self.by_request[request].admitted):
            self._truth.violated(f"{told.run}: request {request} runs twice, first as {self.by_request[request].run}")
        self.by_request[request] = told
        if told.frame.get("if_busy") == "interrupt":
            others = [other for other in self._truth.runs.values() if other.thread == told.thread]
            self.to_end |= {other.run for other in others if other.terminal is None and other is not told}

    def _by_request(self, told: Told) -> bool:
        asked = [sent for (user, _), frames in self._truth.asked.items() if user == told.user for sent in frames]
        return any(sent["action"] == "cancel" and sent.get("request_id") == told.frame["id"] for sent in asked)
