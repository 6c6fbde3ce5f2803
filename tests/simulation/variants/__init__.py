"""The core, broken on purpose in one place each: what the simulation must find.

Each variant changes a name of one module or class for the time of a schedule.
"""

from typing import Final

from tests.simulation.variants import attempts, hazards, log, runs, watching
from tests.simulation.variants.variant import Broken

VARIANTS: Final[dict[str, Broken]] = {
    broken.name: broken for module in (log, attempts, runs, watching, hazards) for broken in module.ALL
}
"""All variants by name."""
