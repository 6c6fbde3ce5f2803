"""The core, broken on purpose in one place each: what the simulation must find.

Each variant changes a name of one module or class for the time of a schedule.
"""

from tests.simulation.variants import attempts, log, runs, watching
from tests.simulation.variants.variant import Variant

VARIANTS: dict[str, Variant] = {
    made.__name__: made for module in (log, attempts, runs, watching) for made in module.ALL
}
"""All variants by name."""
