"""The stores that the table's contract is held against, and in what each is known to differ."""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from dayfly.aws.calls import Pool, client_config
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.store.memory import MemoryTable
from dayfly.store.table import Table
from emulator.processes import Reaper
from tests.fakes.ports import ManualClock
from tests.simulation.played_table import PlayedTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOCAL_JAR: Final = "DYNAMODB_LOCAL_JAR"
"""The environment variable that names the jar of DynamoDB Local; its `DynamoDBLocal_lib` lies beside it."""

NAMES: Final = ("memory", "simulation", "moto", *(("dynamodb-local",) if os.environ.get(LOCAL_JAR) else ()))


@dataclass(frozen=True)
class Backend:
    """One store, with an empty table. `honours_tokens`: a transaction repeated under its token has no second effect."""

    name: str
    table: Table
    honours_tokens: bool
    limits_transactions: bool


@contextmanager
def memory_backend() -> Iterator[Backend]:
    """The in-memory fake."""
    yield Backend("memory", MemoryTable(clock=ManualClock()), honours_tokens=True, limits_transactions=True)


@contextmanager
def simulated_backend() -> Iterator[Backend]:
    """The table of the simulation, with its faults off."""
    table = PlayedTable()
    try:
        yield Backend("simulation", table, honours_tokens=True, limits_transactions=True)
    finally:
        table.close()


@contextmanager
def dynamo_backend(name: str, endpoint: str) -> Iterator[Backend]:
    """The AWS adapter over a server that speaks DynamoDB's protocol, with a new table."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=client_config(),
    )
    table = f"dayfly-{secrets.token_hex(4)}"
    create_table(client, table)
    try:
        with Pool() as pool:
            yield Backend(
                name,
                DynamoTable(client, table, pool),
                # moto takes no notice of ClientRequestToken, nor of a transaction's size.
                honours_tokens=name != "moto",
                limits_transactions=name != "moto",
            )
    finally:
        client.delete_table(TableName=table)
        client.close()


def create_table(client: "DynamoDBClient", name: str) -> None:
    """The one table as the template declares it."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "lease_shard", "AttributeType": "S"},
            {"AttributeName": "due", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "leases",
                "KeySchema": [
                    {"AttributeName": "lease_shard", "KeyType": "HASH"},
                    {"AttributeName": "due", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


@contextmanager
def moto_server() -> Iterator[str]:
    """moto as an HTTP server of this process; yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """DynamoDB Local, in memory, on a free port; yields its address once it answers."""
    jar = Path(os.environ[LOCAL_JAR]).resolve()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["java", f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}", "-jar", str(jar)]
    options = ["-inMemory", "-sharedDb", "-port", str(port), "-disableTelemetry"]
    with (
        Reaper() as reaper,
        subprocess.Popen(
            [*command, *options],
            cwd=jar.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process,
    ):
        reaper.watch(process.pid)  # it ends with a test run that is killed
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(endpoint)
            yield endpoint
        finally:
            process.kill()


def _wait_until_it_answers(endpoint: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=client_config(attempts=1),
    )
    deadline = time.monotonic() + 30
    try:
        while True:
            try:
                client.list_tables()
            except EndpointConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return
    finally:
        client.close()
