"""The moto server, in a process of its own: `python -P -m emulator.moto DESCRIPTOR`.

Serves on the listening socket that it inherits, prints a line on standard output once it does, and ends when standard
input closes: the parent's death in any way closes it. On Linux the kernel is asked for the same, in case this process
hangs.
"""

import logging
import os
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import WSGIRequestHandler, make_server

from emulator.moto import patches, unserved
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


def main(descriptor: int) -> None:
    """Serve on the socket with this descriptor until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    _end_with_parent()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    patches.install()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(unserved.application),
        threaded=True,
        request_handler=_Quiet,
        fd=descriptor,
    )
    try:
        sys.stdout.write("serving\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)  # the parent was killed meanwhile
    server.serve_forever()
