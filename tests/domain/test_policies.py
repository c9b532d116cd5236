"""Limits, the incident guard, and which rules hold in a group."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contactctl.domain.policies import (
    GroupPolicy,
    HandlingAction,
    HandlingRule,
    IncidentGuard,
    Limits,
    ResponsePolicy,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category
from contactctl.domain.text import fold


@pytest.mark.parametrize(
    ("count", "active_total", "number_exceeded"),
    [(0, 0, 0), (25, 100, 0), (26, 100, 1), (10_000, 40_000, 0), (10_001, 50_000, 1)],
)
def test_limits_are_exceeded_above_them_not_at_them(count, active_total, number_exceeded):
    assert len(Limits().exceeded(count, active_total)) == number_exceeded


def test_exceeded_limits_are_said_in_words():
    assert Limits(1000, Decimal("12.5")).exceeded(1284, 9000) == (
        "1,284 is over the limit of 1,000 contacts",
        "1,284 of 9,000 active contacts is over the limit of 12.5 %",
    )


def test_a_limit_of_everything_is_never_exceeded_and_of_nothing_always():
    assert Limits(10, Decimal(100)).exceeded(9, 9) == ()
    assert len(Limits(0, Decimal(0)).exceeded(1, 9)) == 2


@pytest.mark.parametrize(
    ("blocked", "total", "held"),
    [(20, 20, False), (21, 21, True), (21, 42, False), (22, 42, True), (500, 10_000, False)],
)
def test_the_incident_guard_needs_both_number_and_share(blocked, total, held):
    assert IncidentGuard().holds(blocked, total) is held


def test_a_group_s_own_rules_win_category_by_category():
    general = {Category.TRANSIENT: Threshold(5), Category.BLOCKED: Threshold(9)}
    own = {Category.TRANSIENT: Threshold(2)}
    waiting = HandlingRule(HandlingAction.REACTIVATE, timedelta(days=7))
    leaving = HandlingRule(HandlingAction.REMOVE_FROM_GROUP, timedelta(days=7))
    policy = ResponsePolicy(
        thresholds=general,
        handling={Category.UNKNOWN: waiting, Category.TRANSIENT: waiting},
        groups={
            fold("Straße"): GroupPolicy(
                "Straße", thresholds=own, handling={Category.UNKNOWN: leaving}
            )
        },
    )
    expected = {Category.TRANSIENT: Threshold(2), Category.BLOCKED: Threshold(9)}
    assert policy.thresholds_in("straße") == expected
    assert policy.thresholds_in("elsewhere") == general
    assert policy.handling_in("straße") == {
        Category.UNKNOWN: leaving,
        Category.TRANSIENT: waiting,
    }
    assert policy.handling_in("elsewhere") == policy.handling


def test_groups_are_found_whatever_their_case_and_an_unnamed_one_is_ordinary():
    policy = ResponsePolicy(groups={"åre": GroupPolicy("Åre", bypass_system_wide=True)})
    assert policy.group("ÅRE").bypass_system_wide
    assert policy.group("other") == GroupPolicy("other", {}, {}, Scope.SYSTEM_WIDE, False)
