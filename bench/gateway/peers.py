"""The programs that are compared, each with the settings that its own documentation recommends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.gateway.deploy import deploy
from bench.gateway.program import DidNotStart, Program, free_ports
from bench.machine import ROOT

APPLICATION = ROOT / "bench/gateway/application"
START_S = 60.0
SERVERLESS, SERVERLESS_OFFLINE = "3.40.0", "13.10.1"
MINISTACK, MINISTACK_BOTO3 = "1.5.33", "1.43.106"
OURS = "emulator"

# What an SDK wants to see; nobody looks at it.
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A program that is ready and has run no function yet, and the address of its WebSocket."""

    program: Program
    websocket: str


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the compared. `install` puts it into a folder outside the tree, if it is not there; `start` takes that
    folder and a scratch folder. Both raise `DidNotStart`."""

    name: str
    version: str
    settings: str
    install: Callable[[], Path]
    start: Callable[[Path, Path], Running]


def peers() -> tuple[Peer, ...]:
    """All of them, ours first."""
    return (
        Peer(OURS, "this commit", "as is", lambda: ROOT, _start_ours),
        Peer(
            "serverless-offline",
            f"{SERVERLESS_OFFLINE} on serverless {SERVERLESS}",
            "its own Python runner (a process for each concurrent call), no sponsor line",
            _install_serverless,
            _start_serverless,
        ),
        Peer(
            "ministack",
            MINISTACK,
            "LAMBDA_EXECUTOR=local (its default: warm worker processes, no Docker)",
            _install_ministack,
            _start_ministack,
        ),
    )


def cache() -> Path:
    """Where peers are installed: a folder of the user, never the tree."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dayfly/bench-gateway"


# The emulator


def _start_ours(_: Path, scratch: Path) -> Running:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "emulator", "--port", str(port), "--template", str(APPLICATION / "template.yaml")]
    command += ["--exit-with", str(os.getpid())]
    program = Program(command, folder=ROOT, variables={"PYTHONPATH": str(ROOT)}, log=scratch / "emulator.log")
    _wait_for_health(program, f"http://127.0.0.1:{port}/_emulator/health")
    return Running(program, f"ws://127.0.0.1:{port}/live")


# serverless-offline


def _install_serverless() -> Path:
    folder = cache() / f"serverless-offline-{SERVERLESS_OFFLINE}"
    packages = {"serverless": SERVERLESS, "serverless-offline": SERVERLESS_OFFLINE}
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}), encoding="utf-8")
        _run(["npm", "install", "--no-audit", "--no-fund", "--silent"], folder)
        (folder / "ready").touch()
    return folder


def _start_serverless(installed: Path, scratch: Path) -> Running:
    for name in ("app.py", "serverless.yml"):
        shutil.copy(APPLICATION / name, scratch / name)
    modules = scratch / "node_modules"
    if not modules.exists():
        modules.symlink_to(installed / "node_modules")
    http, websocket, functions = free_ports(3)
    variables = {
        **_CREDENTIALS,
        "HTTP_PORT": str(http),
        "WEBSOCKET_PORT": str(websocket),
        "LAMBDA_PORT": str(functions),
        # Its functions run under the first python3 of this environment: the one that runs ours.
        "VIRTUAL_ENV": sys.prefix,
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
        "SLS_DEPRECATION_DISABLE": "*",
        "CI": "1",
    }
    command = ["node", str(installed / "node_modules/serverless/bin/serverless.js"), "offline"]
    program = Program(command, folder=scratch, variables=variables, log=scratch / "serverless.log")
    return _listening(program, websocket, f"ws://127.0.0.1:{websocket}")


# ministack


def _install_ministack() -> Path:
    folder = cache() / f"ministack-{MINISTACK}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)], folder.parent)
        # Its functions run under its own interpreter, with the newest boto3 that it can live with.
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, f"ministack=={MINISTACK}", f"boto3=={MINISTACK_BOTO3}"], folder.parent)
        (folder / "ready").touch()
    return folder


def _start_ministack(installed: Path, scratch: Path) -> Running:
    (port,) = free_ports(1)
    variables = {**_CREDENTIALS, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local"}
    program = Program(
        [str(installed / "bin/ministack")], folder=scratch, variables=variables, log=scratch / "ministack.log"
    )
    url = f"http://127.0.0.1:{port}"
    _wait_for_health(program, f"{url}/_ministack/health")
    try:
        stage = deploy(url, APPLICATION / "app.py")
    except Exception:
        program.stop()
        raise
    return Running(program, f"ws://127.0.0.1:{port}{stage}")


def _listening(program: Program, port: int, websocket: str) -> Running:
    try:
        program.wait_for_port(port, within_s=START_S)
    except DidNotStart:
        program.stop()
        raise
    return Running(program, websocket)


def _wait_for_health(program: Program, url: str) -> None:
    ends = time.monotonic() + START_S
    while True:
        try:
            program.check()
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError, DidNotStart) as error:
            if isinstance(error, DidNotStart) or time.monotonic() > ends:
                program.stop()
                raise DidNotStart(f"not healthy: {error}\n{program.said()}") from error
            time.sleep(0.02)


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=600)
    except FileNotFoundError as error:
        raise DidNotStart(f"{command[0]} is not installed here") from error
    except subprocess.SubprocessError as error:
        raise DidNotStart(f"could not be installed: {getattr(error, 'stderr', None) or error}") from error
