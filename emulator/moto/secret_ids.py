"""Gives secrets the ARNs that the template's references to them hold."""

from __future__ import annotations

from moto.utilities.id_generator import IdSourceContext, moto_id_manager

from emulator.naming import secret_suffix


def install() -> None:
    """Let moto ask here before it draws an id."""
    moto_id_manager.add_id_source(_suffix)


def _suffix(context: IdSourceContext) -> str | None:
    resource = context.get("resource_identifier")
    if resource is None or (resource.service, resource.resource) != ("secretsmanager", "secret"):
        return None
    return secret_suffix(resource.name)
