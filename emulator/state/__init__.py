"""The state behind the functions: moto, with a front that makes its DynamoDB sound."""

from __future__ import annotations

import asyncio

import boto3

from emulator.guard import Guard
from emulator.state.front import DynamoDbFront
from emulator.state.moto import MotoFailed, MotoProcess
from emulator.state.options import StateOptions
from emulator.state.resources import StateFailed, create

__all__ = ["MotoFailed", "State", "StateFailed", "StateOptions"]


class State:
    """Everything that functions reach with boto3 besides Lambda and the gateway; filled from `state_template`."""

    def __init__(self, state_template: str = "", *, guard: Guard, options: StateOptions | None = None) -> None:
        self._template = state_template
        self._guard = guard
        self._options = options or StateOptions()
        self._moto: MotoProcess | None = None
        self._front: DynamoDbFront | None = None

    async def start(self) -> None:
        """Start moto, make the resources, open the front. Raises `MotoFailed` and `StateFailed`."""
        self._moto = await MotoProcess.start(
            guard=self._guard, account_id=self._options.account_id, bound_s=self._options.start_s
        )
        try:
            await create(self._template, url=self._moto.url, options=self._options)
        except BaseException:
            await self.stop()
            raise
        self._front = DynamoDbFront(self._moto.url, token_s=self._options.token_s)
        await self._front.start()

    async def stop(self) -> None:
        """End the front and moto."""
        if self._front is not None:
            await self._front.stop()
        if self._moto is not None:
            await self._moto.stop()

    @property
    def dynamodb_url(self) -> str:
        """The address of the DynamoDB front."""
        if self._front is None:
            raise RuntimeError("the state is not started")
        return self._front.url

    @property
    def aws_url(self) -> str:
        """The address of moto, for every other service."""
        if self._moto is None:
            raise RuntimeError("the state is not started")
        return self._moto.url

    @property
    def moto_pid(self) -> int:
        """The process id of moto."""
        if self._moto is None:
            raise RuntimeError("the state is not started")
        return self._moto.pid

    @property
    def endpoints(self) -> dict[str, str]:
        """Environment variables that lead an AWS SDK here.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        return {"AWS_ENDPOINT_URL": self.aws_url, "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url}

    async def send_to_queue(self, arn: str, body: bytes) -> None:
        """Send a message to the SQS queue with an ARN."""
        await asyncio.to_thread(self._send, arn, body.decode())

    def _send(self, arn: str, body: str) -> None:
        *_, region, account, name = arn.split(":")
        client = boto3.client(
            "sqs",
            endpoint_url=self.aws_url,
            region_name=region,
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",
        )
        client.send_message(QueueUrl=f"{self.aws_url}/{account}/{name}", MessageBody=body)
        client.close()
