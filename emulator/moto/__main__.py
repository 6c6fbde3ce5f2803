"""The moto server, in a process of its own: `python -P -m emulator.moto`.

Prints its port on standard output once it listens, and ends when standard input closes: the parent's death in any way
closes it. On Linux the kernel is asked for the same, in case this process hangs.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler, make_server

from emulator.moto import queries, secret_ids, transactions, unserved
from emulator.processes.die_with_parent import die_with_parent


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line per request."""


def _end_with_parent() -> None:
    die_with_parent()

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    _end_with_parent()
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
