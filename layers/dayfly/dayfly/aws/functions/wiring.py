"""What the roots share: boto3's clients, the threads they are called in, the core's ports over them, and telemetry.

The authorizer alone goes without it: it asks AWS for nothing, and its cold start does not load boto3.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.calls import Pool, client_config
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.invoker import LambdaInvoker
from dayfly.aws.poster import ApiGatewayPoster
from dayfly.aws.settings import BackendSettings
from dayfly.aws.telemetry.telemetry import Telemetry
from dayfly.clock import SystemClock
from dayfly.runs.ports import Ports

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient


class Wiring:
    """Made once per process; holds connections and the function's own credentials, and no user's data. A client is made
    only for a function that asks for what stands on it: each costs a cold start some milliseconds."""

    def __init__(self, settings: BackendSettings, *, engine: str) -> None:
        """
        Args:
            settings: The table's name, and whose runs may share an environment.
            engine: The name of the engine function.
        """
        self.telemetry = Telemetry(settings)
        self.clock = SystemClock()
        self._settings = settings
        self._engine = engine
        self._calls = Pool()
        self._pools = [self._calls]

    @cached_property
    def table(self) -> DynamoTable:
        """The table."""
        return DynamoTable(dynamodb_client(), self._settings.table_name, self._calls)

    @cached_property
    def invoker(self) -> LambdaInvoker:
        """What starts engines."""
        return LambdaInvoker(lambda_client(), self._calls, function=self._engine, isolation=self._settings.isolation)

    @cached_property
    def ports(self) -> Ports:
        """The ports that router, engines and recovery stand on."""
        return Ports(
            table=self.table,
            poster=self.poster(),
            invoker=self.invoker,
            clock=self.clock,
            meter=self.telemetry.meter,
        )

    def poster(self) -> ApiGatewayPoster:
        """A poster with threads of its own: sockets that take nothing must hold back neither the log, the lease or a
        cancel, nor what another poster posts."""
        pool = Pool()
        self._pools.append(pool)
        return ApiGatewayPoster(self._management, pool, clock=self.clock, meter=self.telemetry.meter)

    @contextmanager
    def invocation(self, context: LambdaContext, **ids: str) -> Iterator[None]:
        """Opens telemetry, with these ids in each line of the log, and all pools of threads for one invocation. Leaving
        the block waits for the calls under way."""
        with ExitStack() as stack:
            stack.enter_context(self.telemetry.invocation(context, **ids))
            for pool in self._pools:
                stack.enter_context(pool)
            yield

    @cached_property
    def _management(self) -> "ApiGatewayManagementApiClient":
        return management_client()


def dynamodb_client() -> "DynamoDBClient":
    """For the table."""
    return boto3.client("dynamodb", config=client_config())


def lambda_client() -> "LambdaClient":
    """For starting engines."""
    return boto3.client("lambda", config=client_config())


def management_client() -> "ApiGatewayManagementApiClient":
    """For posting. Its endpoint comes from `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI`. It does not retry: the poster
    does, with the same frame."""
    return boto3.client("apigatewaymanagementapi", config=client_config(attempts=1))


@dataclass(frozen=True, slots=True)
class Peer:
    """Whose connection an event of the gateway is about: the connection, and the identity and the claims that the
    authorizer gave it. Never anything from a message's body."""

    connection_id: str
    user_id: str
    tenant_id: str
    claims: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Peer":
        """Reads the event's request context.

        Raises:
            KeyError: There is no authorizer's context: the stage was deployed without one, and nobody may be served.
        """
        context = event["requestContext"]
        authorizer = context["authorizer"]
        claims = authorizer.get("chosen_claims")
        return cls(context["connectionId"], authorizer["user"], authorizer["tenant"], claims)
