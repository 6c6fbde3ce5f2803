"""What is broken on purpose is found: the simulation sees what it is there to see."""

from typing import Final

import pytest

from tests.simulation.schedule import play
from tests.simulation.variants import VARIANTS
from tests.simulation.variants.variant import Broken

SEARCHED: Final = 1_500
BLIND: Final = 40


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


@pytest.mark.parametrize("broken", [one for one in VARIANTS.values() if one.hazards], ids=lambda one: one.name)
def test_only_a_hazard_finds_it(broken: Broken) -> None:
    """Where rows do not expire, reads are not torn, and so on, nothing is found in as many schedules."""
    bias = broken.bias_without_hazards
    assert not any(play(seed, variant=broken.make, bias=bias).violations for seed in (broken.seed, *range(BLIND)))
