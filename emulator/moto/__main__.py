"""`python -P -m emulator.moto DESCRIPTOR`: see `server`."""

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # as for the emulator itself

    from emulator.moto.server import main

    gc.freeze()
    gc.enable()
    main(int(sys.argv[1]))
