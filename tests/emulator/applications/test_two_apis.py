"""Two APIs in one template, one of them with two stages: each is found by its own address."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.e2e.emulator_process import EmulatorProcess, running
from tests.emulator.applications.client import opened

TEMPLATE = Path(__file__).parent / "two_apis" / "template.yaml"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    """The application."""
    with running(TEMPLATE) as started:
        yield started


def addresses(emulator: EmulatorProcess) -> list[tuple[str, str]]:
    """The APIs' addresses and stages, as they were printed."""
    lines = (re.match(r"\s+websocket\s+ws(://\S+)/(\w+)\s*$", line) for line in list(emulator.lines))
    return [(f"http{each[1]}", each[2]) for each in lines if each]


def speak(emulator: EmulatorProcess, to: str, connection: str) -> Any:
    """Lets the function that knows addresses alone speak to a connection."""
    client = boto3.client(
        "lambda", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="x",
        aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    answer = client.invoke(FunctionName="Speaker", Payload=json.dumps({"to": to, "id": connection}))
    return json.loads(answer["Payload"].read())


async def test_each_api_has_an_address_that_its_stages_share(emulator: EmulatorProcess) -> None:
    """Three stages, two ports; the events name the API, the stage and the domain of that API."""
    found = await asyncio.to_thread(addresses, emulator)
    assert sorted(stage for _, stage in found) == ["beta", "live", "live"]
    told = []
    for url, stage in found:
        async with opened(url, stage) as client:
            told.append((url, stage, await client.ask("where")))
    assert all(answer["stage"] == stage for _, stage, answer in told)
    assert len({url for url, _, _ in told}) == 2
    assert len({(url, answer["api"], answer["domain"]) for url, _, answer in told}) == 2


async def test_a_variable_with_an_address_on_aws_leads_here(emulator: EmulatorProcess) -> None:
    """A client that is made for such an address reaches the API's stage, and none of the others."""
    found = await asyncio.to_thread(addresses, emulator)
    beta = next(url for url, stage in found if stage == "beta")
    internal = next(url for url, _ in found if url != beta)
    async with opened(beta, "beta") as public, opened(internal, "live") as colleague:
        one, other = (await public.ask("where"))["id"], (await colleague.ask("where"))["id"]
        assert await asyncio.to_thread(speak, emulator, "PUBLIC", one) == {"gone": False}
        assert await public.receive() == {"spoken": "PUBLIC"}
        assert await asyncio.to_thread(speak, emulator, "INTERNAL", other) == {"gone": False}
        assert await colleague.receive() == {"spoken": "INTERNAL"}
        stray = await asyncio.to_thread(speak, emulator, "INTERNAL", one)
        assert stray["gone"] is True
        assert re.fullmatch(r"wss://127\.0\.0\.1:\d+/live", stray["socket"])
