"""Runs an application in whatever network it is started in: `python -m tests.emulator.offline TEMPLATE`.

Prints `refused: N`, how often the kernel had no route for a packet since the network began. Meant for a network
namespace with nothing but the loopback, where each such packet is one that would have left the machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
from pathlib import Path

from websockets.asyncio.client import connect

from tests.emulator.console.program import running

# linux/sockios.h, linux/if.h
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        if not flags & _IFF_UP:
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def refused() -> int:
    """Packets without a route, of both versions of IP."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
    found = int(values[names.index("OutNoRoutes")])
    sixth = Path("/proc/net/snmp6")
    lines = sixth.read_text().splitlines() if sixth.exists() else []
    return found + sum(int(line.split()[1]) for line in lines if line.startswith("Ip6OutNoRoutes"))


async def _run(template: Path) -> None:
    async with running(template) as emulator, connect(emulator.websocket) as client:
        await client.send("hello")
        assert await client.recv() == "hello"


if __name__ == "__main__":
    _raise_loopback()
    asyncio.run(_run(Path(sys.argv[1])))
    print(f"refused: {refused()}")
