"""Limits, the incident guard, and which rules hold in a group."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contactctl.domain.policies import (
    DailyLimit,
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
    ("usual", "delivered", "mark"),
    [(0, 0, 20), (6, 0, 20), (7, 0, 21), (7, 1_000, 21), (7, 1_100, 22), (100, 1_100, 300)],
)
def test_the_mark_is_the_highest_of_number_usual_and_share(usual, delivered, mark):
    assert IncidentGuard().mark(usual, delivered) == mark


@pytest.mark.parametrize(
    ("spent", "count", "exceeds"), [(0, 25, 0), (20, 5, 0), (20, 6, 1), (500, 501, 2)]
)
def test_what_holds_for_one_run_holds_for_a_day_of_them(spent, count, exceeds):
    limits = Limits(max_contacts=1000, max_percent=Decimal(25))
    assert len(limits.exceeded_in_a_day(spent, count, active_at_start=100)) == exceeds


def test_a_day_may_have_a_limit_of_its_own():
    limits = Limits(per_day=DailyLimit(max_contacts=3))
    assert limits.exceeded_in_a_day(3, 0, active_at_start=10) == ()
    (reason,) = limits.exceeded_in_a_day(3, 1, active_at_start=10)
    assert reason == "1 after 3 within 24 hours is over the daily limit of 3 contacts"


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
