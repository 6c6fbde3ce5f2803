"""What a program and everything it has started leave on a Linux machine: processes, sockets, files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_LISTENING = "0A"  # include/net/tcp_states.h
_TABLES = ("tcp", "tcp6", "udp", "udp6")


def processes(folder: Path) -> set[int]:
    """Those alive that were started with TMPDIR at `folder`: children keep it, also of parents that have ended."""
    mark = f"TMPDIR={folder}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # ended meanwhile, or not ours to look into
                running = entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
                if running and mark in entry.joinpath("environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
    return found


def addresses(pids: set[int]) -> tuple[set[str], set[str]]:
    """Hexadecimal IP addresses of the sockets of processes: those listened on or bound, and those connected to."""
    inodes = {link for pid in pids for link in _sockets(pid)}
    own: set[str] = set()
    peers: set[str] = set()
    for table in _TABLES:
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                own.add(fields[1].partition(":")[0])
                if fields[3] != _LISTENING:
                    peers.add(fields[2].partition(":")[0])
    return own, peers


def loopback(address: str) -> bool:
    """Whether it is 127.0.0.0/8, ::1, an IPv4 loopback within IPv6, or no address yet."""
    if set(address) == {"0"}:
        return False
    if len(address) == 8:
        return address.endswith("7F")  # each 32 bits in the machine's order
    return address == "0" * 24 + "01000000" or (address.startswith("0" * 16 + "FFFF0000") and address.endswith("7F"))


def _sockets(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found
