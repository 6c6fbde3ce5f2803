"""What operators see: the template's metrics are the emitted ones, and logs name things without telling secrets."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.template_file import load
from scripts.template_metrics import OWN_NAMESPACE, NamedMetric, named_metrics
from tests.live.kit.chat import Chat, token_for
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import ROOT, EmulatorProcess, chatting, project

FUNCTIONS = ("AuthorizerFunction", "ConnectionFunction", "RouterFunction", "EngineFunction", "RecoveryFunction")
TEXT = "remember that my code is Xylophone-1717"
USER = "operator@example.org"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator of its own, on which everything has happened once that a metric counts. Its engines live for 16
    seconds, so that one hands over."""
    template = project(tmp_path_factory.mktemp("observed"), engine_timeout_s=16)
    with chatting(template, "--schedule-every", "1") as emulator:
        asyncio.run(_live_through(emulator))
        yield emulator


async def _live_through(emulator: EmulatorProcess) -> None:
    async with Chat(emulator.url, USER) as client:
        completed = await client.ask("run", text=TEXT)
        await client.end_of(completed["run_id"])
        failed = await client.ask("run", text="x", agent="raising")
        await client.end_of(failed["run_id"])
        cancelled = await client.ask("run", text="x", agent="silent")
        await client.until(lambda frame: frame.get("seq") == 3 and frame["run_id"] == cancelled["run_id"])
        await client.ask("cancel", run_id=cancelled["run_id"])
        await client.end_of(cancelled["run_id"])
        await _ask_the_user(client)
        await _lose_an_engine(emulator, client)
        long = await client.ask("run", text="chapters=2 seconds=5", agent="chaptering")
        await client.end_of(long["run_id"], wait_s=60)
        left = await client.ask("run", text="tell me a long story, slowly")
        await client.until(lambda frame: frame["type"] == "agent_delta" and frame["run_id"] == left["run_id"])
    # The story goes on for nobody: the engine's next post is answered with 410.
    await asyncio.to_thread(emulator.wait_for_line, '"GoneConnections"')
    await asyncio.to_thread(emulator.wait_for_line, '"ActiveRuns"')


async def _ask_the_user(client: Chat) -> None:
    run = await client.ask("run", text="Forget the note about X17")
    asked = await client.until(lambda frame: frame["type"] == "approval_requested")
    call = asked["payload"]["tool_call_id"]
    await client.ask("approve", run_id=run["run_id"], tool_call_id=call, approved=True)
    await client.end_of(run["run_id"])


async def _lose_an_engine(emulator: EmulatorProcess, client: Chat) -> None:
    run = await client.ask("run", text="x", agent="talking")
    await client.until(lambda frame: frame["type"] == "agent_delta" and frame["run_id"] == run["run_id"])
    assert (await Control(emulator.url).inject("kill_environments", function=ENGINE))["killed"] >= 1
    await client.end_of(run["run_id"])


def _over(emulator: EmulatorProcess) -> list[dict[str, Any]]:
    """The lines of attempts that came to something: one that is late finds another at work, and has no outcome."""
    lines = (line for line in emulator.json_lines("EngineFunction") if line.get("message") == "attempt over")
    return [line for line in lines if "outcome" in line]


def _emitted(emulator: EmulatorProcess) -> Iterator[tuple[NamedMetric, dict[str, Any]]]:
    for function in FUNCTIONS:
        for line in emulator.json_lines(function):
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    for dimensions in directive["Dimensions"]:
                        names = tuple(sorted(dimensions))
                        yield NamedMetric(directive["Namespace"], metric["Name"], names, metric["Unit"]), line


def test_every_metric_that_the_template_names_is_emitted_and_back(observed: EmulatorProcess) -> None:
    """Namespace, name and dimensions of the own metrics in alarms and graphs are those of a real run, both ways; where
    an alarm names a unit it is the emitted one."""
    named = {metric for metric in named_metrics(load(ROOT / "template.yaml")) if metric.namespace == OWN_NAMESPACE}
    emitted = {metric for metric, _ in _emitted(observed)}
    assert {metric._replace(unit=None) for metric in named} == {metric._replace(unit=None) for metric in emitted}
    assert {metric for metric in named if metric.unit} <= emitted


def test_metrics_have_their_dimensions_values_and_no_ids(observed: EmulatorProcess) -> None:
    """Each metric line carries its dimensions' values and its own value; the service is the template's."""
    for metric, line in _emitted(observed):
        assert all(line[name] for name in metric.dimensions)
        assert line[metric.name]
        assert line["service"] == "dayfly"


def test_outcomes_are_counted_once_each(observed: EmulatorProcess) -> None:
    """One run failed with its code, one was cancelled, one resumed after a loss, and one call had to be allowed, each
    counted by whoever did it."""
    for name in ("RunsFailed", "RunsCancelled", "RunsResumed", "ApprovalsRequested"):
        assert _total(observed, name) == 1, name
    # After its second step the last engine may have too little time left for the end, and hand over once more.
    assert _total(observed, "RunsHandedOver") in (1, 2)
    codes = [line["code"] for metric, line in _emitted(observed) if metric.dimensions == ("code", "service")]
    assert codes == ["agent_failed"]


def _total(emulator: EmulatorProcess, name: str) -> float:
    return sum(
        sum(line[name])
        for metric, line in _emitted(emulator)
        if (metric.name, metric.dimensions) == (name, ("service",))
    )


def test_logs_tell_what_became_of_attempts(observed: EmulatorProcess) -> None:
    """An attempt that ended while its run goes on says how; recovery names the run that it resumed, and why."""
    over = _over(observed)
    assert {"waiting", "handed_over"} <= {line["outcome"] for line in over}
    (resumed,) = [line for line in observed.json_lines("RecoveryFunction") if line.get("message") == "run resumed"]
    assert (resumed["level"], resumed["code"]) == ("WARNING", "engine_lost")
    assert resumed["run"] in {line["run"] for line in over}


def test_logs_name_the_run_and_its_surroundings(observed: EmulatorProcess) -> None:
    """The line of an admission and of an attempt's end carry user, thread, run and request; the router's also the
    connection."""
    admitted = [line for line in observed.json_lines("RouterFunction") if line.get("message") == "admitted"]
    over = _over(observed)
    assert len(admitted) == 7
    assert {"user", "thread", "run", "connection", "request", "function_request_id", "xray_trace_id"} <= set(
        admitted[0]
    )
    assert {"user", "thread", "run", "request", "outcome", "duration_ms"} <= set(over[0])
    assert [line["outcome"] for line in over][:5] == ["completed", "failed", "cancelled", "waiting", "completed"]


def test_logs_tell_no_secret(observed: EmulatorProcess) -> None:
    """No line of any function holds a token, a message's text, or the user's own name."""
    token = token_for(observed.url, USER)
    for function in FUNCTIONS:
        for line in observed.json_lines(function):
            text = json.dumps(line, ensure_ascii=False)
            assert "Xylophone" not in text
            assert USER not in text
            assert token.split(".")[0] not in text, "the header of every token of this issuer"


def test_nothing_is_logged_as_an_error_but_the_failed_run(observed: EmulatorProcess) -> None:
    """There are no error lines but that of the broken file among these tests' agents, once for each cold start, and one
    of the failed run, with its code: a run that is resumed or handed over is none."""
    errors = [line for function in FUNCTIONS for line in observed.json_lines(function) if line.get("level") == "ERROR"]
    assert [line.get("code") for line in errors if "unfinished.py" not in line["message"]] == ["agent_failed"]


def test_saved_queries_name_fields_that_are_logged(observed: EmulatorProcess) -> None:
    """Every field that a saved query filters, shows or counts by stands in some log line of a real run."""
    fields = {name for function in FUNCTIONS for line in observed.json_lines(function) for name in line}
    template = load(Path(ROOT / "template.yaml"))
    queries = [
        r["Properties"]["QueryString"] for r in template["Resources"].values() if r["Type"].endswith("QueryDefinition")
    ]
    assert len(queries) == 4
    for query in queries:
        assert any(name in query for name in fields & {"run", "user", "duration_ms", "code"}), query
