"""How long does each function take to be ready in a fresh process, and what takes the engine's time?"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench.machine import ROOT
from bench.report import Section
from bench.summary import median, summary

ROUNDS = 7
FUNCTIONS = ("authorizer", "connection", "router", "engine", "recovery")
TOP = 5
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")


@dataclass(frozen=True, slots=True)
class _Probe:
    imported_ms: float
    ready_ms: float
    cpu_ms: float
    modules: int


def init() -> list[Section]:
    """Starts each function's module in fresh processes, in turn with a bare boto3 and Powertools handler. The first
    round is thrown away: it compiles and fills the file cache."""
    taken: defaultdict[str, list[_Probe]] = defaultdict(list)
    for number in range(ROUNDS + 1):
        for name in ("bare", *FUNCTIONS):
            probe = _probe(name)
            if number:
                taken[name].append(probe)
    bare = median([one.cpu_ms for one in taken["bare"]])
    rows = []
    for name, probes in taken.items():
        ready = summary([one.ready_ms for one in probes])
        imported = None if name == "bare" else median([one.imported_ms for one in probes])
        cpu = median([one.cpu_ms for one in probes])
        rows.append((name, ready.n, imported, ready.p50, ready.worst, cpu, cpu / bare, probes[-1].modules))
    return [
        Section(
            key="init",
            title="Import and init of each function in a fresh process, ms",
            columns=("function", "n", "import p50", "ready p50", "ready max", "cpu p50", "cpu ratio", "modules"),
            rows=tuple(rows),
            notes=(
                "bare: boto3 with one client, Powertools' Logger and Metrics; the interpreter's start is not counted",
                "cpu: the processor's time until ready, which a busy machine disturbs less; its ratio is to bare",
                "import: the composition root's module; ready: its object is built too, as in Lambda's init phase",
            ),
        ),
        _dominating(),
    ]


def _dominating() -> Section:
    stderr = _run("engine", "-X", "importtime").stderr
    own: defaultdict[str, int] = defaultdict(int)
    for line in stderr.splitlines():
        found = _LINE.match(line)
        if found:
            own[found[2].partition(".")[0]] += int(found[1])
    whole = sum(own.values())
    top = sorted(own.items(), key=lambda item: -item[1])[:TOP]
    return Section(
        key="engine_imports",
        title=f"The {TOP} packages that take most of the engine's imports",
        columns=("package", "own time, ms", "share of all"),
        rows=tuple((name, us / 1000, us / whole) for name, us in top),
        notes=("one process under -X importtime, which itself slows imports; own time, submodules included",),
    )


def _probe(name: str) -> _Probe:
    told = json.loads(_run(name).stdout.splitlines()[-1])
    return _Probe(told["import"] * 1000, told["ready"] * 1000, told["cpu"] * 1000, told["modules"])


def _run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    folder = ROOT / "bench/bare" if name == "bare" else ROOT / "functions" / name
    module = () if name == "bare" else (f"dayfly.aws.functions.{name}",)
    command = [sys.executable, "-P", *options, str(ROOT / "bench/init_probe.py"), str(folder), *module]
    return subprocess.run(
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=True, timeout=60
    )


def _environment(folder: Path) -> dict[str, str]:
    """What Lambda and the template would say; nothing here is called. The X-Ray SDK knows Lambda by LAMBDA_TASK_ROOT,
    and elsewhere makes clients of its own, which take a tenth of a second."""
    return {
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "layers/dayfly"),
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": "http://127.0.0.1:9/live",
        "TABLE_NAME": "bench",
        "ENGINE_FUNCTION": "bench",
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "dayfly",
        "POWERTOOLS_METRICS_NAMESPACE": "Dayfly",
        "POWERTOOLS_SERVICE_NAME": "dayfly",
    }
