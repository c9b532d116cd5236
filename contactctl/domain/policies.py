"""The rules an operator configures: limits, billing, plans, thresholds, handling, groups."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from contactctl.domain.lazy import dataclass
from contactctl.domain.responses import Category
from contactctl.domain.text import counted, fold

LARGEST_COUNT = 10**9  # more than anybody needs; the databases' integers can store it, and one more


@dataclass(frozen=True)
class BillingTier:
    """The price of having up to `up_to` active contacts (inclusive; None: any number)."""

    up_to: int | None
    price: Decimal


@dataclass(frozen=True)
class Billing:
    """What active contacts cost: tiers ascending, the last one open. No tiers: unknown."""

    currency: str = "USD"
    tiers: tuple[BillingTier, ...] = ()


@dataclass(frozen=True)
class DailyLimit:
    """How many contacts automatic runs may deactivate together within 24 hours; `max_percent` is
    of those that were active when these began. None: that does not limit them."""

    max_contacts: int | None = None
    max_percent: Decimal | None = None

    def __str__(self) -> str:
        if self.max_percent is not None:
            return f"{self.max_percent}%"
        return str(self.max_contacts)


@dataclass(frozen=True)
class Limits:
    """How much one run may change without an override. `max_percent` is of the active contacts.

    `per_day` limits automatic runs together; None: what holds for one run holds for a day of them.
    """

    max_contacts: int = 10_000
    max_percent: Decimal = Decimal(25)
    per_day: DailyLimit | None = None

    def exceeded(self, count: int, active_total: int) -> tuple[str, ...]:
        """The limits that changing `count` of `active_total` contacts exceeds, in words."""
        reasons = []
        if count > self.max_contacts:
            most = counted(self.max_contacts, "contact")
            reasons.append(f"{count:,} is over the limit of {most}")
        if count * 100 > self.max_percent * active_total:
            reasons.append(
                f"{count:,} of {active_total:,} active contacts is over the limit of"
                f" {self.max_percent} %"
            )
        return tuple(reasons)

    def exceeded_in_a_day(self, spent: int, count: int, active_at_start: int) -> tuple[str, ...]:
        """The daily limits that `count` contacts more exceed after `spent`, in words."""
        limit = self.per_day or DailyLimit(self.max_contacts, self.max_percent)
        total, reasons = spent + count, []
        so_far = f"{count:,} after {spent:,} within 24 hours is over the daily limit of"
        if limit.max_contacts is not None and total > limit.max_contacts:
            reasons.append(f"{so_far} {counted(limit.max_contacts, 'contact')}")
        if limit.max_percent is not None and total * 100 > limit.max_percent * active_at_start:
            reasons.append(f"{so_far} {limit.max_percent} % of {active_at_start:,} active contacts")
        return tuple(reasons)


@dataclass(frozen=True)
class StoredPolicy:
    """What a store decides for everybody, in the config's own form.

    `number` counts from 1; the run `run_id` put it in force.
    """

    number: int
    document: Mapping[str, Any]
    run_id: int
    created: datetime


class Approval(StrEnum):
    """Who may apply a kept plan."""

    SAME_OPERATOR = "same-operator"
    SECOND_OPERATOR = "second-operator"


@dataclass(frozen=True)
class PlanPolicy:
    """How long a kept plan lives, and who may apply it."""

    expire_after: timedelta = timedelta(hours=24)
    approval: Approval = Approval.SAME_OPERATOR


@dataclass(frozen=True)
class Terms:
    """What was in force when a run was asked for: it stays with the run, and holds for its plan.

    `policy` is the number of the store's policy; None where each config decided for itself.
    """

    policy: int | None
    approval: Approval
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        """What the store keeps; a share as text, which no database rounds."""
        return {
            "policy": self.policy,
            "approval": str(self.approval),
            "max_contacts": self.limits.max_contacts,
            "max_percent": str(self.limits.max_percent),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Terms | None":
        """What `to_json` gave; None for a run from before terms were kept."""
        if not kept:
            return None
        limits = Limits(kept["max_contacts"], Decimal(kept["max_percent"]))
        return cls(kept["policy"], Approval(kept["approval"]), limits)


@dataclass(frozen=True)
class Threshold:
    """`count` responses of one category deactivate; `within` None counts all of the past.

    Those of one day (UTC) count once, or of one period of `days_apart` days; 0: each one counts;
    None: as the category is by default. First and last lie `over_at_least` apart, to the second.
    Failures of another address that the contact's passes mail on to need `through_count`; None:
    three times `count`.
    """

    count: int
    within: timedelta | None = None
    days_apart: int | None = None
    over_at_least: timedelta | None = None
    through_count: int | None = None


class HandlingAction(StrEnum):
    """What a handling rule does when it is due."""

    REACTIVATE = "reactivate"
    REMOVE_FROM_GROUP = "remove-from-group"


@dataclass(frozen=True)
class HandlingRule:
    """What happens to a threshold deactivation `after` it started."""

    action: HandlingAction
    after: timedelta


class Scope(StrEnum):
    """Where a deactivation applies."""

    SYSTEM_WIDE = "system-wide"
    GROUP = "group"


class OnUnsubscribe(StrEnum):
    """What follows when a person unsubscribes.

    From a group that it is in, the contact is deactivated in that group, or removed from it; from
    all mail, or from what is no group here, it is deactivated system-wide. Or nothing follows.
    """

    DEACTIVATE = "deactivate"
    REMOVE_FROM_GROUP = "remove-from-group"
    RECORD = "record"


BYPASS_WARNING = (
    "bypasses system-wide deactivation: it mails contacts that bounced or complained elsewhere,"
    " which harms deliverability"
)


@dataclass(frozen=True)
class GroupPolicy:
    """One group's own settings; a category it does not name follows the general rules.

    `deactivate`: where a threshold reached by this group's responses deactivates.
    `bypass_system_wide`: the group mails its members even if they are inactive system-wide.
    """

    name: str
    thresholds: Mapping[Category, Threshold] = field(default_factory=dict)
    handling: Mapping[Category, HandlingRule] = field(default_factory=dict)
    deactivate: Scope = Scope.SYSTEM_WIDE
    bypass_system_wide: bool = False


@dataclass(frozen=True)
class IncidentGuard:
    """When responses of one category look like an incident, not like many bad addresses.

    They are held when, `within` some hours, one domain, one receiving host, or one reason has more
    of them than `more_than`, than `times_usual` times the most that it had in such a time before,
    and than `percent_of_delivered` of the contacts there that mail was delivered to meanwhile.
    """

    within: timedelta = timedelta(hours=24)
    more_than: int = 20
    times_usual: int = 3
    percent_of_delivered: Decimal = Decimal(2)

    @property
    def hours(self) -> int:
        """The window's length, begun hours counted whole."""
        return max(1, -(self.within // -timedelta(hours=1)))

    def mark(self, usual: int, delivered: int = 0) -> int:
        """The most responses that are no burst, where at most `usual` came before."""
        of_delivered = int(self.percent_of_delivered * delivered / 100)
        return max(self.more_than, self.times_usual * usual, of_delivered)


@dataclass(frozen=True)
class ResponsePolicy:
    """What responses cause. `groups` is keyed by the folded name: ask `group()`.

    A click at most `machine_click_seconds` after a delivery is a machine's; 0: none is. Deliveries
    are kept for `keep_deliveries`, their number for ever.
    """

    thresholds: Mapping[Category, Threshold] = field(default_factory=dict)
    reset_on_delivery: bool = False
    handling: Mapping[Category, HandlingRule] = field(default_factory=dict)
    allow_not_recommended: bool = False
    groups: Mapping[str, GroupPolicy] = field(default_factory=dict)
    incident_guard: IncidentGuard = IncidentGuard()
    unsubscribes: OnUnsubscribe = OnUnsubscribe.DEACTIVATE
    machine_click_seconds: int = 10
    keep_deliveries: timedelta = timedelta(days=90)

    def group(self, name: str) -> GroupPolicy:
        """The policy of a group, the general one if the config does not name the group."""
        return self.groups.get(fold(name)) or GroupPolicy(name)

    def thresholds_in(self, group: str) -> dict[Category, Threshold]:
        """The thresholds that apply in a group: its own, then the general ones."""
        return {**self.thresholds, **self.group(group).thresholds}

    def handling_in(self, group: str) -> dict[Category, HandlingRule]:
        """The handling rules that apply in a group: its own, then the general ones."""
        return {**self.handling, **self.group(group).handling}


# What a number of active contacts costs


def tier_for(active_total: int, billing: Billing) -> BillingTier | None:
    """The tier that `active_total` contacts fall into (`price`, `up_to`); None without tiers."""
    for tier in billing.tiers:
        if tier.up_to is None or active_total <= tier.up_to:
            return tier
    return None
