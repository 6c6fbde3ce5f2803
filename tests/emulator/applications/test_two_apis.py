"""Two APIs in one template, one of them with two stages: each is found by its own address."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from tests.live.kit.client import opened
from tests.live.kit.emulator import EmulatorProcess, running

TEMPLATE = Path(__file__).parent / "two_apis" / "template.yaml"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    """The application."""
    with running(TEMPLATE) as started:
        yield started


def addresses(emulator: EmulatorProcess) -> list[tuple[str, str]]:
    """The stages' addresses and names, as they were printed."""
    return [(each, each.rpartition("/")[2]) for each in emulator.websockets]


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
    assert sorted(stage for _, stage in addresses(emulator)) == ["beta", "live", "live"]
    told = []
    for address, stage in addresses(emulator):
        async with opened(address) as client:
            answer = await client.ask("where")
            assert answer["stage"] == stage
            told.append((address.rpartition("/")[0], answer["api"], answer["domain"]))
    assert len({url for url, _, _ in told}) == len(set(told)) == 2


async def test_a_variable_with_an_address_on_aws_leads_here(emulator: EmulatorProcess) -> None:
    """A client that is made for such an address reaches the API's stage, and none of the others."""
    beta = next(address for address, stage in addresses(emulator) if stage == "beta")
    port = urlsplit(beta).port
    internal = next(address for address, _ in addresses(emulator) if urlsplit(address).port != port)
    async with opened(beta) as public, opened(internal) as colleague:
        one, other = (await public.ask("where"))["id"], (await colleague.ask("where"))["id"]
        assert await asyncio.to_thread(speak, emulator, "PUBLIC", one) == {"gone": False}
        assert await public.receive() == {"spoken": "PUBLIC"}
        assert await asyncio.to_thread(speak, emulator, "INTERNAL", other) == {"gone": False}
        assert await colleague.receive() == {"spoken": "INTERNAL"}
        stray = await asyncio.to_thread(speak, emulator, "INTERNAL", one)
        assert stray["gone"] is True
        assert re.fullmatch(r"wss://127\.0\.0\.1:\d+/live", stray["socket"])
