"""What Lambda refuses before it looks for an environment."""

from __future__ import annotations

import json
import re

from emulator.contract import FunctionSpec, InvalidPayload, InvalidTenant, PayloadTooLarge

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-TenantId
_TENANT = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]{1,256}")


def check_tenant(spec: FunctionSpec, tenant_id: str | None) -> None:
    """Required with PER_TENANT, refused without.

    https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-invoke.html
    """
    if spec.tenant_isolation and tenant_id is None:
        raise InvalidTenant(
            "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try "
            "again."
        )
    if not spec.tenant_isolation and tenant_id is not None:
        raise InvalidTenant(
            "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request "
            "and try again."
        )
    if tenant_id is not None and _TENANT.fullmatch(tenant_id) is None:
        raise InvalidTenant(f"Invalid tenant ID: it must match {_TENANT.pattern}")


def check_payload(payload: bytes, limit: int) -> None:
    """At most `limit` bytes of JSON; an empty payload stands for an empty object, as AWS takes it."""
    if len(payload) > limit:
        # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: RequestTooLargeException, status 413
        raise PayloadTooLarge(f"Request must be smaller than {limit} bytes for the InvokeFunction operation")
    if payload:
        try:
            json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise InvalidPayload(f"Could not parse request body into json: {error}") from error
