"""`python -m emulator`."""

import signal
import sys

if __name__ == "__main__":
    # The imports take a moment, and Ctrl-C in it shall end them without a traceback: nothing has been started yet.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from emulator.cli import main

    sys.exit(main(sys.argv[1:]))
