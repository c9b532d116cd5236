"""The response policy in force, and its handling rules as they hold now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from contactctl.domain.groups import parse_group_settings, with_stored_groups
from contactctl.domain.handling import NOT_TO_REACTIVATE, RECOMMENDED, RECOMMENDED_DAYS, TimedRule
from contactctl.domain.policies import HandlingAction, HandlingRule, ResponsePolicy, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.runs import Run
from contactctl.domain.thresholds import SYSTEM_WIDE, ThresholdRule
from contactctl.operations.session import Session
from contactctl.store.burst_rates import response_days
from contactctl.store.groups import group_ids, group_names, stored_settings


def policy_in_force(session: Session) -> ResponsePolicy:
    """Thresholds, handling and groups as they hold now.

    A group that the config names is as the config says, as a whole; `groups set` speaks for the
    others.
    """
    with session.store.reading() as connection:
        stored = stored_settings(connection)
    policies = {
        folded: parse_group_settings(name, settings) for folded, (name, settings) in stored.items()
    }
    return with_stored_groups(session.settings.responses, policies)


def bypassing_groups(session: Session) -> frozenset[int]:
    """The ids of the groups that mail members although they are inactive system-wide."""
    policy = policy_in_force(session)
    with session.store.reading() as connection:
        ids = group_ids(connection)
    return frozenset(
        number for name, number in ids.items() if policy.group(name).bypass_system_wide
    )


def bypassing_group_names(session: Session) -> list[str]:
    """Their names, in order."""
    policy = policy_in_force(session)
    with session.store.reading() as connection:
        names = group_names(connection)
    return [name for name in names if policy.group(name).bypass_system_wide]


# Handling rules as they hold now: listed, held against the recommendations, timed for a sweep


class Sending(StrEnum):
    """How often a contact gets mail."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


_HEALING = (Category.TRANSIENT, Category.UNKNOWN, Category.COMMUNICATION_FAILURE)
# count, within, over at least: some mails in a row, over longer than a mailbox is out of order
_SPACED = {
    Sending.DAILY: (5, "30 days", "7 days"),
    Sending.WEEKLY: (4, "60 days", "14 days"),
    Sending.MONTHLY: (3, "120 days", "30 days"),
}
_RHYTHM_SEEN_IN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A category's rule, in general or in one group, beside what common practice advises.

    `rule` None: contacts stay deactivated. `advice` says what is wrong with it, '' if nothing.
    """

    category: Category
    group: str | None
    rule: HandlingRule | None
    recommended: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class DueUnderRule:
    """How many contacts wait for one rule. `group` None: what holds system-wide.

    `action` None: a threshold deactivates; `threshold` says which.
    """

    action: HandlingAction | None
    category: Category
    group: str | None
    contacts: int
    threshold: str = ""


def due_under_rules(
    counts: Sequence[tuple[str, str, int, int]], group_names: Mapping[int, str]
) -> list[DueUnderRule]:
    """What the store counts, as (action, category, group id, contacts), in words."""
    return [
        DueUnderRule(HandlingAction(action), Category(category), group_names.get(group), contacts)
        for action, category, group, contacts in counts
    ]


def due_in_plan(
    run: Run, counts: Sequence[tuple[str, str, int, int]], group_names: Mapping[int, str]
) -> list[DueUnderRule]:
    """The same of a plan by handling rules, or by thresholds, which its run keeps."""
    return [
        DueUnderRule(
            HandlingAction(action) if action else None,
            Category(category),
            group_names.get(group),
            contacts,
            run.details.threshold_of(category, group),
        )
        for action, category, group, contacts in counts
    ]


def handling_in_force(policy: ResponsePolicy) -> list[RuleInForce]:
    """Every category's general rule, then the rules of groups."""
    general = [_in_force(category, None, policy.handling.get(category)) for category in Category]
    own = [
        _in_force(category, group.name, rule)
        for group in policy.groups.values()
        for category, rule in group.handling.items()
    ]
    return general + own


def advice_on(category: Category, rule: HandlingRule | None) -> str:
    """What speaks against the rule; '' where nothing does."""
    if rule is None or rule.action is HandlingAction.REMOVE_FROM_GROUP:
        return ""
    if category is Category.SPAM_COMPLAINT:
        return "has no effect: a complaint blocks every automatic reactivation"
    if category in NOT_TO_REACTIVATE or category not in RECOMMENDED_DAYS:
        return f"not recommended: {RECOMMENDED[category]}"
    shortest, longest = RECOMMENDED_DAYS[category]
    days = rule.after.total_seconds() / 86_400
    if days < shortest:
        return f"sooner than recommended ({shortest} to {longest} days)"
    return f"later than recommended ({shortest} to {longest} days)" if days > longest else ""


def read_rules(session: Session) -> list[RuleInForce]:
    """The rules that a sweep would follow now."""
    return handling_in_force(policy_in_force(session))


def timed_rules(session: Session, now: datetime) -> list[TimedRule]:
    """The rules in force as cutoffs at `now`, for the groups that the store has."""
    policy = policy_in_force(session)
    if not policy.handling and not any(each.handling for each in policy.groups.values()):
        return []
    with session.store.reading() as connection:
        ids = group_ids(connection)
    return [timed for category in Category for timed in _timed(policy, category, ids, now)]


def _timed(
    policy: ResponsePolicy, category: Category, ids: Mapping[str, int], now: datetime
) -> Iterator[TimedRule]:
    own = {
        ids[folded]: group.handling[category]
        for folded, group in policy.groups.items()
        if category in group.handling and folded in ids
    }
    if general := policy.handling.get(category):
        yield TimedRule(general.action, category, now - general.after, None, tuple(sorted(own)))
    for group_id, rule in own.items():
        yield TimedRule(rule.action, category, now - rule.after, group_id)


def _in_force(category: Category, group: str | None, rule: HandlingRule | None) -> RuleInForce:
    return RuleInForce(category, group, rule, RECOMMENDED[category], advice_on(category, rule))


def recommended_thresholds(sending: Sending) -> str:
    """Thresholds that mail sent so often can reach, as YAML with the reasons."""
    count, within, over = _SPACED[sending]
    spaced = f"{{count: {count}, within: {within}, over_at_least: {over}}}"
    return "\n".join(
        (
            f"# for mail that a contact gets {sending}",
            "thresholds:",
            f"  {Category.INVALID_ADDRESS}: {{count: 1}}",
            f"  {Category.SPAM_COMPLAINT}: {{count: 1}}",
            *(f"  {category}: {spaced}" for category in _HEALING),
            f"  # {Category.BLOCKED}: none; a refusal is more often about the mail than about its"
            " recipient",
            "reset_on_delivery: true",
            "",
        )
    )


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """A threshold that cannot be reached: at most `most` responses count within its time.

    They come every `days` days, as mail is sent; None: whenever it is sent, as `within` is too
    short for the rest of the threshold.
    """

    category: Category
    group: str | None
    threshold: Threshold
    days: int | None
    most: int


def thresholds_out_of_reach(session: Session) -> list[OutOfReach]:
    """Which thresholds need more responses than can come in their time, as far as is seen."""
    policy = policy_in_force(session)
    with session.store.reading() as connection:
        gap = usual_gap(response_days(connection, session.now - _RHYTHM_SEEN_IN))
    named: list[tuple[str | None, Mapping[Category, Threshold]]] = [(None, policy.thresholds)]
    named += [(group.name, group.thresholds) for group in policy.groups.values()]
    return [
        found
        for group, thresholds in named
        for category, threshold in thresholds.items()
        if (found := _out_of_reach(category, group, threshold, gap))
    ]


def _out_of_reach(
    category: Category, group: str | None, threshold: Threshold, gap: int | None
) -> OutOfReach | None:
    within, over = threshold.within, threshold.over_at_least
    if within is None:
        return None
    apart = ThresholdRule(SYSTEM_WIDE, SYSTEM_WIDE, category, threshold).days_apart
    # periods begun within that time: its ends may lie in the middle of one
    most = -(-within // timedelta(days=apart)) + 1 if apart else threshold.count
    if threshold.count > most or (over is not None and over > within):
        return OutOfReach(category, group, threshold, None, most)
    if gap is None or not apart or category not in _HEALING:
        return None
    most = within.days // gap + 1
    return OutOfReach(category, group, threshold, gap, most) if threshold.count > most else None


def usual_gap(days: Mapping[int, int]) -> int | None:
    """Days from one mailing to the next, the median: of days, by number of responses.

    A mailing's day has at least a fifth of the most responses; what trickles in afterwards is
    none. None: fewer than three mailings are seen.
    """
    least = max(days.values(), default=0) / 5
    mailings = sorted(day for day, responses in days.items() if responses >= least)
    gaps = sorted(later - earlier for earlier, later in pairwise(mailings))
    return gaps[len(gaps) // 2] if len(gaps) >= 2 else None


def recommended_config() -> str:
    """Handling rules in the middle of what is recommended, as YAML with the reasons."""
    lines = ["handling:"]
    for category in Category:
        if category in RECOMMENDED_DAYS:
            days = sum(RECOMMENDED_DAYS[category]) // 2
            lines.append(f"  {category}: {{reactivate_after: {days} days}}")
        else:
            lines.append(f"  # {category}: {RECOMMENDED[category]}")
    return "\n".join(lines) + "\n"
