"""What is broken on purpose is found: the simulation sees what it is there to see."""

from typing import Final

import pytest

from tests.simulation.schedule import play
from tests.simulation.variants import VARIANTS
from tests.simulation.variants.variant import Broken

SEARCHED: Final = 1_500


@pytest.mark.parametrize("broken", VARIANTS.values(), ids=VARIANTS)
def test_a_broken_core_is_found(broken: Broken) -> None:
    """Some schedule of a bounded number violates a promise where the core is broken in this way."""
    seeds = (broken.seed, *range(SEARCHED))
    found = next((seed for seed in seeds if play(seed, variant=broken.make, bias=broken.bias).violations), None)
    assert found is not None


@pytest.mark.parametrize("broken", VARIANTS.values(), ids=VARIANTS)
def test_the_whole_core_passes_the_same_schedule(broken: Broken) -> None:
    """The schedule that finds a variant violates nothing where the core is as it is."""
    assert not play(broken.seed, bias=broken.bias).violations
