"""Checks the `Host` and `Origin` of a request, against DNS rebinding and requests from foreign pages."""

from ipaddress import ip_address

from emulator.gateway.asgi import Scope, header


class OwnAddress:
    """The names under which the emulator may be asked: any address, `localhost`, and the `host` it listens on.

    A web site can make its own name mean this machine (DNS rebinding); its pages are then of one origin with what
    answers here, and all that gives them away is that name in `Host`. An address can't be rebound.
    """

    def __init__(self, host: str) -> None:
        self._names = {"localhost", host.lower()}

    def refusal(self, scope: Scope) -> str | None:
        """Why a request may not be answered, None if it may: the name in `Host` is another's."""
        host = header(scope, b"host").lower()
        name = _name(host)
        if name in self._names or _is_address(name):
            return None
        return f"the emulator is not asked as {host!r}, but by its address, as localhost, or as its --host"

    def refusal_with_origin(self, scope: Scope) -> str | None:
        """As `refusal`; a page (RFC 6454) that did not come from here may not ask either. Programs send no `Origin`."""
        foreign = self.refusal(scope)
        origins = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"origin"]
        own = f"{scope['scheme']}://{header(scope, b'host').lower()}"
        if foreign is None and any(origin != own for origin in origins):
            return f"the page comes from {origins[0]!r}, not from here"
        return foreign


def _name(host: str) -> str:
    """The host without its port (RFC 3986 section 3.2.2)."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
