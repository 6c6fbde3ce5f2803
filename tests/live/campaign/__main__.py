"""`python -m tests.live.campaign`: runs under faults, and a verdict. The exit code is 1 if any promise was broken."""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.live.campaign.campaign import Campaign, Plan
from tests.live.campaign.report import table
from tests.live.campaign.scenarios import LONG_SCENARIOS, SCENARIOS
from tests.live.kit.emulator import chatting, project

SHORT_ENGINE_S = 30


def main() -> int:
    """Parses the command line, plays, prints."""
    given = _parser().parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        template = project(Path(folder), engine_timeout_s=given.engine_timeout)
        scenarios = SCENARIOS + (LONG_SCENARIOS if given.engine_timeout else ())
        plan = Plan(runs=given.runs, seed=seed, at_once=given.at_once, pace_s=given.pace, scenarios=scenarios)
        with chatting(template, *_options(given)) as emulator:
            campaign = Campaign(emulator.url, emulator.lines, plan, say=lambda line: print(line, flush=True))
            result = asyncio.run(campaign.run())
            if given.log is not None:
                given.log.write_text("".join(emulator.lines))
    print("\n".join(table(result)), flush=True)
    return 0 if result.is_good else 1


def _options(given: argparse.Namespace) -> list[str]:
    options = ["--parameter-overrides", f"WarmUp={given.warm_up}"]
    if given.sweep_every:
        options += ["--schedule-every", str(given.sweep_every)]
    if given.dynamodb_jar:
        options += ["--dynamodb-jar", given.dynamodb_jar]
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.live.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="how many runs at least (500)")
    parser.add_argument("--seed", type=int, help="of the choices; moments differ all the same (a random one)")
    parser.add_argument("--at-once", type=int, default=6, help="users who are busy at the same time (6)")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two faults, on average (1)")
    parser.add_argument("--sweep-every", type=float, default=5.0, help="seconds between sweeps; 0: a minute (5)")
    parser.add_argument("--warm-up", choices=("on", "off"), default="on", help="the template's WarmUp (on)")
    parser.add_argument(
        "--engine-timeout",
        type=int,
        nargs="?",
        const=SHORT_ENGINE_S,
        help=f"seconds that an engine may live ({SHORT_ENGINE_S}), and agents that take longer (else 900, without)",
    )
    parser.add_argument("--dynamodb-jar", metavar="PATH", help="keep the tables in DynamoDB Local")
    parser.add_argument("--log", type=Path, metavar="PATH", help="write the emulator's log there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
