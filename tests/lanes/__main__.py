"""`python -m tests.lanes [all|unit|live]`: runs the lanes at once, tells how far they are, and shows what failed."""

import argparse
import shlex
import signal
import sys

from tests.lanes.lane import SETS, Lane, outside
from tests.lanes.run import play


def main() -> int:
    """Returns 0 where every lane passed."""
    given = _parser().parse_args()
    if left := [*outside(SETS["all"])]:
        print("in no lane, or in several:", *left, file=sys.stderr)
        return 1
    # As Ctrl-C does, so that a run that is ended ends its lanes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return play((*SETS[given.set], *(_beside(text) for text in given.beside)))


def _beside(text: str) -> Lane:
    name, _, command = text.partition("=")
    return Lane(name=name, command=tuple(shlex.split(command)), patient=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lanes", description=__doc__)
    parser.add_argument("set", nargs="?", choices=SETS, default="all", help="which lanes (all)")
    parser.add_argument(
        "--beside", action="append", default=[], metavar="NAME=COMMAND", help="a further command, as a lane of its own"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
