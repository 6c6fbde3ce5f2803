"""The `Invoker` port over Lambda's Invoke.

Sources: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and
https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dayfly.aws.calls import Pool, translated
from dayfly.aws.invocation_payloads import RunPayload, WarmUpPayload
from dayfly.aws.settings import Isolation
from dayfly.errors import PortError
from dayfly.runs.invoker import EngineCall

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaInvoker:
    """Invokes the engine function with `InvocationType=Event`, in the environments of the user or of the tenant."""

    def __init__(self, client: "LambdaClient", pool: Pool, *, function: str, isolation: Isolation) -> None:
        self._client = client
        self._pool = pool
        self._function = function
        self._isolation = isolation

    async def start(self, call: EngineCall) -> None:
        await self._invoke(RunPayload.of(call), user_id=call.user_id, tenant_id=call.tenant_id)

    async def warm_up(self, *, user_id: str, tenant_id: str) -> None:
        await self._invoke(WarmUpPayload(), user_id=user_id, tenant_id=tenant_id)

    async def _invoke(self, payload: RunPayload | WarmUpPayload, *, user_id: str, tenant_id: str) -> None:
        request: dict[str, Any] = {
            "FunctionName": self._function,
            "InvocationType": "Event",
            "Payload": payload.model_dump_json().encode(),
        }
        match self._isolation:
            case Isolation.USER:
                request["TenantId"] = user_id
            case Isolation.TENANT:
                request["TenantId"] = tenant_id
            case Isolation.NONE:
                pass  # Lambda refuses a tenant id for a function without tenant isolation
        try:
            await self._pool.run(partial(self._call, request))
        except (ClientError, BotoCoreError) as error:
            raise translated(error, PortError) from error

    def _call(self, request: dict[str, Any]) -> None:
        # Reading the (empty) body to its end is what gives the connection back to the client's pool.
        self._client.invoke(**request)["Payload"].read()
