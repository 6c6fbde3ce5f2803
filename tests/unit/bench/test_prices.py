"""The file of list prices."""

from datetime import date
from typing import get_args

from bench.prices import Billed, Prices


def test_everything_billed_has_a_dated_price_with_its_source() -> None:
    """No price is missing or made up in code: each names AWS's page and where the figure was read."""
    prices = Prices.read()
    assert set(prices.prices) == set(get_args(Billed))
    assert date.fromisoformat(prices.dated)
    for price in prices.prices.values():
        assert 0 < price.per < 1
        assert price.page.startswith("https://aws.amazon.com/")
        assert price.read_on.startswith("https://")
        assert price.verified
