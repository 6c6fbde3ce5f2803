"""The moto server, in a process of its own: `python -P -m emulator.moto`.

Prints its port on standard output once it listens, and ends when standard input closes: the parent's death in any way
closes it. On Linux the kernel is asked for the same, in case this process hangs.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler, make_server

from emulator.moto import queries, secret_ids, transactions, unserved

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line per request."""


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    _die_with_parent()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    transactions.install()
    queries.install()
    secret_ids.install()
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        server = make_server(
            "127.0.0.1",
            port,
            DomainDispatcherApplication(unserved.application),
            threaded=True,
            request_handler=_Quiet,
            fd=listener.fileno(),
        )
        try:
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(0)  # the parent was killed meanwhile
        server.serve_forever()


if __name__ == "__main__":
    main()
