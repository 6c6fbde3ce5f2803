"""Faults of DynamoDB, seen by a real client of the front."""

from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ConnectionClosedError

from emulator.faults.models import DynamoDbAnswerLost, DynamoDbThrottled
from emulator.faults.registry import FaultRegistry
from emulator.processes import Reaper
from emulator.state import State
from tests.emulator.state.support import TABLE_ALONE, client_of


async def test_a_throttled_put_does_nothing_and_a_put_whose_answer_is_lost_is_done() -> None:
    """The tables are made although all operations fail: only those on items are struck."""
    book = FaultRegistry([DynamoDbThrottled(), DynamoDbAnswerLost(operation="PutItem")])
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    with Reaper() as reaper:
        state = State(TABLE_ALONE, reaper=reaper, faults=book)
        await state.start()
        client = client_of(state)
        try:
            with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
                await asyncio.to_thread(client.put_item, TableName="table", Item=key)
            read = await asyncio.to_thread(client.get_item, TableName="table", Key=key)
            assert "Item" not in read
            with pytest.raises(ConnectionClosedError):
                await asyncio.to_thread(client.put_item, TableName="table", Item=key)
            read = await asyncio.to_thread(client.get_item, TableName="table", Key=key)
            assert read["Item"] == key
        finally:
            client.close()
            await state.stop()
