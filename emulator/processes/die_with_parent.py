"""Has the kernel end a process with its parent, where it can (Linux).

`python die_with_parent.py PROGRAM ARGUMENT...` becomes a program that ends so: the request holds across execve.
https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


def die_with_parent() -> None:
    """Ask for SIGKILL at the end of the thread that started this process: start it from one that lives as long as its
    own process, such as the event loop's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
