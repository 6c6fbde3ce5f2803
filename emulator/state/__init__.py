"""The state behind the functions: moto, and a DynamoDB that is moto's or DynamoDB Local, behind a front."""

from collections.abc import Mapping

from emulator.processes import Reaper
from emulator.state.calls import send_message
from emulator.state.dynamodb_local import DynamoDbLocal
from emulator.state.front import DynamoDbFront, Faults
from emulator.state.moto import Moto, MotoFailed
from emulator.state.options import StateFailed, StateOptions
from emulator.state.resources import create, kinds
from emulator.state.tokens import Tokens

__all__ = ["MotoFailed", "State", "StateFailed", "StateOptions"]


class State:
    """Everything that functions reach with boto3 besides Lambda and the gateway; filled from `state_template`."""

    def __init__(
        self,
        state_template: str = "",
        *,
        reaper: Reaper,
        options: StateOptions | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._template = state_template
        self._reaper = reaper
        self._faults = faults
        self._options = options or StateOptions()
        self._moto: Moto | None = None
        self._local: DynamoDbLocal | None = None
        self._front: DynamoDbFront | None = None

    async def start(self) -> None:
        """Start what is needed, open the front, make the resources. Raises `MotoFailed` and `StateFailed`."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        options = self._options
        if options.dynamodb_jar is not None:
            self._local = DynamoDbLocal(
                options.dynamodb_jar, data=options.data, reaper=self._reaper, region=options.region
            )
            await self._local.start(options.start_s)
        self._moto = Moto(reaper=self._reaper, account_id=options.account_id, bound_s=options.start_s)
        if kinds(self._template) - (frozenset() if self._local is None else {"AWS::DynamoDB::Table"}):
            await self._moto.start()
        else:
            self._moto.start_when_asked()
        if self._local is None:
            self._front = DynamoDbFront(self._moto.url, tokens=Tokens(options.token_s), faults=self._faults)
        else:
            self._front = DynamoDbFront(
                self._local.url, tokens=None, authorization=self._local.authorization, faults=self._faults
            )
        await self._front.start()
        await create(self._template, url=self._moto.url, dynamodb_url=self._front.url, options=options)

    async def stop(self) -> None:
        """End the front, moto and DynamoDB Local."""
        if self._front is not None:
            await self._front.stop()
        if self._moto is not None:
            await self._moto.stop()
        if self._local is not None:
            await self._local.stop()

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
    def moto_pid(self) -> int | None:
        """For tests: the process id of moto, None while none was needed."""
        return None if self._moto is None else self._moto.pid

    @property
    def local_pid(self) -> int | None:
        """For tests: the process id of DynamoDB Local, None if moto keeps the tables."""
        return None if self._local is None else self._local.pid

    @property
    def endpoints(self) -> dict[str, str]:
        """Environment variables that lead an AWS SDK here.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        found = {"AWS_ENDPOINT_URL": self.aws_url, "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url}
        if self._local is not None:
            found["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] = self.dynamodb_url
        return found

    async def send(self, arn: str, body: bytes, attributes: Mapping[str, str | int]) -> None:
        """Send a message to the SQS queue or SNS topic with an ARN. Raises `SendFailed` if there is none."""
        await send_message(arn, body.decode(), attributes, url=self.aws_url)
