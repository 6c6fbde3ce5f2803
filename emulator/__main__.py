"""`python -m emulator`."""

import gc
import signal
import sys

if __name__ == "__main__":
    # The imports take a moment, and Ctrl-C in it shall end them without a traceback: nothing has been started yet.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What they make stays to the end: to look for garbage in it again and again takes a fifth of their time.
    gc.disable()

    from emulator.cli import main

    gc.freeze()
    gc.enable()
    sys.exit(main(sys.argv[1:]))
