"""Tenant isolation: who must name a tenant, and what tenants share."""

from __future__ import annotations

from functools import partial

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, fresh


@fact("L56", sources.TENANT_INVOKE)
def test_a_tenant_is_required(app: Application) -> None:
    """A function with tenant isolation refuses an invocation without a tenant id, synchronous or not."""
    for kind in ("RequestResponse", "Event"):
        with pytest.raises(app.client.exceptions.InvalidParameterValueException):
            app.run("isolated", InvocationType=kind)


@fact("L57", sources.TENANT_INVOKE)
def test_a_tenant_is_refused(app: Application) -> None:
    """A function without tenant isolation refuses an invocation with a tenant id."""
    with pytest.raises(app.client.exceptions.InvalidParameterValueException):
        app.run("script", TenantId="blue")


@pytest.mark.parametrize("tenant_id", ["a#b", "a|b", "a,b", "a?b"])
@fact("L58", sources.INVOKE)
def test_characters_of_a_tenant(app: Application, tenant_id: str) -> None:
    """A tenant id is of letters, digits, spaces and `._:/=+-@` alone."""
    assert app.run("isolated", ("return", 1), TenantId="aZ09._:/=+-@ x").value == 1
    with pytest.raises(app.client.exceptions.ClientError):
        app.run("isolated", TenantId=tenant_id)


@fact("L59", sources.TENANTS)
def test_the_context_names_the_tenant(app: Application) -> None:
    """`context.tenant_id` is the tenant of the invocation."""
    assert app.run("isolated", ("context", None), TenantId="blue").value["tenant_id"] == "blue"


@fact("L60", sources.TENANTS)
def test_tenants_share_nothing(app: Application) -> None:
    """Tenants never share an environment, at the same time or one after the other."""
    tenants = [fresh(), fresh()]
    calls = [partial(app.run, "isolated", ("calls", None), TenantId=tenant) for tenant in tenants]
    environments = [{call().value[0] for _ in range(2)} for call in calls]
    both = app.together([*calls, *calls])
    for index, answer in enumerate(both):
        environments[index % 2].add(answer.value[0])
    assert not environments[0] & environments[1]


@fact("L61", sources.TENANTS)
def test_a_tenant_finds_its_own_environment(app: Application) -> None:
    """A tenant's next invocation is served by its own environment, if that is free."""
    tenants = [fresh(), fresh()]
    first = [app.run("isolated", ("calls", None), TenantId=tenant).value for tenant in tenants]
    again = [app.run("isolated", ("calls", None), TenantId=tenant).value for tenant in tenants]
    assert again == [[environment, 2] for environment, _ in first]
