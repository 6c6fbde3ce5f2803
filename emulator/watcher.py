"""The guarding process itself: see `guard`. Imports little, so that it starts in some 15 ms."""

import os
import shutil
import signal
import sys


def main() -> None:
    """Read `+pid`, `-pid` and `/folder` lines until the pipe closes, then kill and remove what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        mark, rest = line[0], line[1:].rstrip("\n")
        if mark == "+":
            groups.add(int(rest))
        elif mark == "-":
            groups.discard(int(rest))
        else:
            folders.append(rest)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
