"""DynamoDB Local behind the front; collected only where its jar is given."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from emulator.processes import Reaper
from emulator.state import State, StateFailed
from emulator.state.dynamodb_local import DynamoDbLocal
from tests.emulator.functions.support import alive, eventually
from tests.emulator.state.support import LOCAL_JAR, PROPERTIES, TABLE_ALONE, client_of, options, put, value_of

_LOCAL = "dynamodb-local"
CREATED = {"TableName", "BillingMode", "AttributeDefinitions", "KeySchema"}

PARENT = """
import asyncio, sys
from pathlib import Path
from emulator.processes import Reaper
from emulator.state import State, StateOptions

async def main(jar):
    reaper = Reaper()
    reaper.start()
    queue = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}}}'
    state = State(queue, reaper=reaper, options=StateOptions(dynamodb_jar=jar))
    await state.start()
    print(state.local_pid, state.moto_pid, reaper.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""


def empty(folder: Path) -> bool:
    """Whether nothing is in a folder."""
    return not any(folder.iterdir())


async def start_fails(state: State) -> str:
    """The one line that a state's start ends with."""
    with pytest.raises(StateFailed) as failed:
        await state.start()
    return str(failed.value)


async def test_data_outlives_a_restart(tmp_path: Path) -> None:
    """Items, the table's time to live and the token of a transaction are there after a restart on the same folder."""

    def write(state: State) -> None:
        client = client_of(state)
        client.transact_write_items(TransactItems=[put("a", new=True)], ClientRequestToken="token")
        for number in range(20):
            client.transact_write_items(TransactItems=[put(f"last-{number}")])
        client.close()

    def read(state: State) -> None:
        client = client_of(state)
        assert value_of(client, "a") == "v"
        assert [number for number in range(20) if value_of(client, f"last-{number}") is None] == []
        client.transact_write_items(TransactItems=[put("a", new=True)], ClientRequestToken="token")
        ttl = client.describe_time_to_live(TableName="table")["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires")
        client.close()

    with Reaper() as reaper:
        for look in (write, read):
            state = State(TABLE_ALONE, reaper=reaper, options=options(_LOCAL, data=tmp_path / "made" / "data"))
            try:
                await state.start()
                await asyncio.to_thread(look, state)
            finally:
                await state.stop()


async def test_a_kept_table_of_other_keys_is_refused(tmp_path: Path) -> None:
    """A template whose keys have changed is not run on the old table; the message names table and folder."""
    properties = {"TableName": "table", "BillingMode": "PAY_PER_REQUEST",
                  "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}  # fmt: skip
    with Reaper() as reaper:
        first = State(TABLE_ALONE, reaper=reaper, options=options(_LOCAL, data=tmp_path))
        await first.start()
        await first.stop()
        template = json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}})
        said = await start_fails(State(template, reaper=reaper, options=options(_LOCAL, data=tmp_path)))
    assert said.startswith(f"Table: the table in {tmp_path} has other keys")


async def test_who_else_finds_the_port_finds_no_table() -> None:
    """DynamoDB Local listens on every interface; only the front's own header leads to what was made under it."""
    create = {name: value for name, value in PROPERTIES.items() if name in CREATED}
    body = json.dumps(create).encode()

    def others(url: str) -> list[str]:
        client = client_of(url)
        names = client.list_tables()["TableNames"]
        client.close()
        return names

    with Reaper() as reaper:
        local = DynamoDbLocal(Path(LOCAL_JAR), data=None, reaper=reaper, region="us-east-1")
        try:
            await local.start(60)
            headers = {"Authorization": local.authorization, "Content-Type": "application/x-amz-json-1.0",
                       "X-Amz-Target": "DynamoDB_20120810.CreateTable"}  # fmt: skip
            async with ClientSession() as session:
                for status in (200, 400):  # made, there already
                    async with session.post(local.url, data=body, headers=headers) as answer:
                        assert answer.status == status
            assert await asyncio.to_thread(others, local.url) == []
        finally:
            await local.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_emulator_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """After SIGKILL or SIGTERM of the parent, DynamoDB Local, its temporary folder, moto and the reaper are gone."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, LOCAL_JAR, env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert parent.stdout is not None
    pids = [int(word) for word in (await parent.stdout.readline()).split()]
    assert len(pids) == 3
    assert all(alive(pid) for pid in pids)
    assert not empty(tmp_path)
    parent.send_signal(number)
    await parent.wait()
    await eventually(lambda: not any(alive(pid) for pid in pids))
    await eventually(lambda: empty(tmp_path))


async def test_a_jar_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    """Java's own word about the file is passed on, and no process or folder is left."""
    jar = tmp_path / "no.jar"
    jar.write_text("no jar", "utf-8")
    with Reaper() as reaper:
        local = DynamoDbLocal(jar, data=None, reaper=reaper, region="us-east-1")
        with pytest.raises(StateFailed, match=r"DynamoDB Local did not start: Error: .*no\.jar"):
            await local.start(60)
        await local.stop()
        assert not alive(local.pid)
