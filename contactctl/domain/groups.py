"""A group: its own settings (`groups set`), how the config outranks them, and how it is listed.

The form is that of the config's `groups.NAME`: `{"bypass_system_wide": true, "deactivate": "group",
"thresholds": {"transient": {"count": 3, "within": "14 days"}}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contactctl.domain.criteria.values import format_duration, parse_duration
from contactctl.domain.plain_data import from_plain, to_plain
from contactctl.domain.policies import LARGEST_COUNT, GroupPolicy, ResponsePolicy, Threshold
from contactctl.domain.thresholds import SYSTEM_WIDE

_COUNT = re.compile("[0-9]{1,10}\\Z")
_DAYS_APART = re.compile(r"\s*days apart ([0-9]{1,4})\s*\Z")
_OVER_AT_LEAST = re.compile(r"\s*over at least (.+)\Z")
_THROUGH = re.compile(r"\s*through ([1-9][0-9]{0,8})\s*\Z")


def parse_group_settings(name: str, settings: Mapping[str, Any]) -> GroupPolicy:
    """The policy of a group according to its stored settings."""
    policy: GroupPolicy = from_plain(GroupPolicy, {**settings, "name": name})
    return policy


def format_group_settings(policy: GroupPolicy) -> dict[str, Any]:
    """The settings to store, without defaults."""
    defaults = to_plain(GroupPolicy(policy.name))
    return {key: each for key, each in to_plain(policy).items() if each != defaults[key]}


def with_stored_groups(policy: ResponsePolicy, stored: Mapping[str, GroupPolicy]) -> ResponsePolicy:
    """The policy in force: a group that the config names follows the config, as a whole.

    `stored` is keyed by the folded name.
    """
    return replace(policy, groups={**stored, **policy.groups})


def parse_threshold(text: str) -> Threshold:
    """`3`, `3 within 14 days`, `3 within 90 days, days apart 2, over at least 14 days, through 9`.

    ValueError for anything else.
    """
    first, *others = text.split(",")
    count, _, within = first.partition(" within ")
    digits = count.strip()
    number = int(digits) if _COUNT.match(digits) else 0
    if not 1 <= number <= LARGEST_COUNT:
        raise ValueError(f"'{text}' is not a threshold: write 3, or '3 within 14 days'")
    days_apart, over_at_least, through = None, None, None
    for other in others:
        if days := _DAYS_APART.match(other):
            days_apart = int(days[1])
        elif over := _OVER_AT_LEAST.match(other):
            over_at_least = parse_duration(over[1])
        elif failed_behind := _THROUGH.match(other):
            through = int(failed_behind[1])
        else:
            raise ValueError(
                f"'{text}' is not a threshold: after a comma write 'days apart 1',"
                " 'over at least 14 days' or 'through 9'"
            )
    window = parse_duration(within) if within else None
    return Threshold(number, window, days_apart, over_at_least, through)


def format_threshold(threshold: Threshold) -> str:
    """As `parse_threshold` reads it."""
    within = f" within {format_duration(threshold.within)}" if threshold.within else ""
    days = "" if threshold.days_apart is None else f", days apart {threshold.days_apart}"
    over = threshold.over_at_least
    over_text = f", over at least {format_duration(over)}" if over else ""
    through = "" if threshold.through_count is None else f", through {threshold.through_count}"
    return f"{threshold.count}{within}{days}{over_text}{through}"


# A group as it is listed


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group with its size; `active_members` are those whose contact is active."""

    id: int
    name: str
    created: datetime
    members: int
    active_members: int


def scope_name(group_id: int, name: str | None) -> str | None:
    """Where a deactivation holds: None for everywhere, a number for a group that is gone."""
    if group_id == SYSTEM_WIDE:
        return None
    return name if name is not None else f"group {group_id}"
