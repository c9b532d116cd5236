"""Billing tiers."""

from decimal import Decimal

import pytest

from contactctl.domain.policies import Billing, BillingTier, tier_for

SMALL, LARGE, OPEN = tiers = (
    BillingTier(1000, Decimal(29)),
    BillingTier(10_000, Decimal(99)),
    BillingTier(None, Decimal(249)),
)


@pytest.mark.parametrize(
    ("active_total", "tier"),
    [(0, SMALL), (1000, SMALL), (1001, LARGE), (10_000, LARGE), (10_001, OPEN), (10**9, OPEN)],
)
def test_a_tier_holds_up_to_its_bound_inclusive(active_total, tier):
    assert tier_for(active_total, Billing("USD", tiers)) is tier


def test_without_tiers_nothing_is_known_of_prices():
    assert tier_for(5, Billing()) is None
