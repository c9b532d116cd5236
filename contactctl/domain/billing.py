"""What a number of active contacts costs."""

from contactctl.domain.policies import Billing, BillingTier


def tier_for(active_total: int, billing: Billing) -> BillingTier | None:
    """The tier that `active_total` contacts fall into (`price`, `up_to`); None without tiers."""
    for tier in billing.tiers:
        if tier.up_to is None or active_total <= tier.up_to:
            return tier
    return None
