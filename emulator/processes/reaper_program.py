"""The reaping process itself: `python reaper_program.py OWNER [WATCHED]`, see `reaper`.

Imports little, so that it starts in some 15 ms.
"""

import os
import select
import shutil
import signal
import sys
import time

_GRACE_S = 8.0
_STDIN = 0


class _Charges:
    """The process groups to kill and the folders to remove, told line by line: `+pid`, `-pid` and `/folder`."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._folders: list[str] = []
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what was read, in whatever pieces it came."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            mark, rest = line[:1], os.fsdecode(line[1:])
            if mark == b"+":
                self._groups.add(int(rest))
            elif mark == b"-":
                self._groups.discard(int(rest))
            else:
                self._folders.append(rest)

    def end(self) -> None:
        """Kill and remove what is left."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


class _Owner:
    """The emulator, whose child this process is: once it is not, the number may be another's."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def signal(self, *numbers: signal.Signals) -> None:
        """Send these to it, if it is still there."""
        for number in numbers:
            if os.getppid() == self._pid:
                os.kill(self._pid, number)


def main(owner: _Owner, watched: int | None) -> None:
    """Read lines until the pipe closes, then kill and remove what is left.

    If the process `watched` ends before, end the owner, which closes the pipe.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    charges = _Charges()
    ended = None if watched is None else _end_of(watched)
    waiting = [_STDIN] if ended is None else [_STDIN, ended]
    kill_at: float | None = None
    while True:
        left_s = None if kill_at is None else kill_at - time.monotonic()
        if left_s is not None and left_s <= 0:
            owner.signal(signal.SIGKILL)
            kill_at = left_s = None
        ready = select.select(waiting, [], [], left_s)[0]
        if ended is not None and ended in ready:
            waiting.remove(ended)
            # A stopped process takes no other signal than SIGKILL before it goes on.
            owner.signal(signal.SIGTERM, signal.SIGCONT)
            kill_at = time.monotonic() + _GRACE_S
        if _STDIN in ready:
            data = os.read(_STDIN, 65536)
            if not data:
                break
            charges.feed(data)
    charges.end()


def _end_of(pid: int) -> int:
    """A descriptor that can be read from once the process has ended: at once if there is none of this id.

    Not by asking the parent's id again and again: the watched process may be no parent, and a zombie would count as
    alive. https://man7.org/linux/man-pages/man2/pidfd_open.2.html, and kqueue's EVFILT_PROC elsewhere.
    """
    try:
        if sys.platform == "linux":
            return os.pidfd_open(pid)
        else:  # noqa: RET505 - a type checker knows the names of one system only
            queue = select.kqueue()
            exits = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
            queue.control([exits], 0)
            # The object closes the queue when it is collected; a copy of the descriptor stays.
            return os.dup(queue.fileno())
    except ProcessLookupError:
        read, write = os.pipe()
        os.close(write)
        return read


if __name__ == "__main__":
    main(_Owner(int(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else None)
