"""Which deactivations one contact's responses make due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contactctl.domain.policies import GroupPolicy, ResponsePolicy, Scope, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.thresholds import (
    RESET_BY_DELIVERY,
    SYSTEM_WIDE,
    RecordedResponse,
    ThresholdSubject,
    due_deactivations,
    threshold_rules,
)
from contactctl.store import tables

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NEWS = 7
TRANSIENT = (SYSTEM_WIDE, Category.TRANSIENT)


def response(days_ago: float = 1, **values: Any) -> RecordedResponse:
    return RecordedResponse(Category.TRANSIENT, NOW - days_ago * DAY, **values)


def due(subject: ThresholdSubject, **policy: Any) -> set[tuple[int, Category]]:
    thresholds = {"thresholds": {Category.TRANSIENT: Threshold(2, 10 * DAY)}}
    rules = threshold_rules(ResponsePolicy(**(thresholds | policy)), {"news": NEWS})
    return due_deactivations(subject, rules, NOW)


def test_system_wide_is_the_same_number_in_the_store() -> None:
    assert SYSTEM_WIDE == tables.SYSTEM_WIDE


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [((1, 2), True), ((1, 10), True), ((1, 10.0001), False), ((1,), False)],
)
def test_count_and_window(days_ago: tuple[float, ...], expected: bool) -> None:
    subject = ThresholdSubject([response(each) for each in days_ago])
    assert due(subject) == ({TRANSIENT} if expected else set())


@pytest.mark.parametrize(
    "values",
    [
        {"reactivated_at": NOW - 2 * DAY},
        {"ended": {TRANSIENT: NOW - 2 * DAY}},
        {"open": {TRANSIENT}},
    ],
)
def test_responses_up_to_the_watermark_do_not_count(values: dict[str, Any]) -> None:
    responses = [response(1), response(2)]
    assert due(ThresholdSubject(responses)) == {TRANSIENT}
    assert due(ThresholdSubject(responses, **values)) == set()


def test_a_delivery_resets_only_where_configured() -> None:
    subject = ThresholdSubject([response(1), response(2)], delivered_at=NOW - 2 * DAY)
    assert due(subject) == {TRANSIENT}
    assert due(subject, reset_on_delivery=True) == set()


def test_a_delivery_takes_back_neither_complaints_nor_invalid_addresses() -> None:
    assert set(Category) - RESET_BY_DELIVERY == {
        Category.INVALID_ADDRESS,
        Category.SPAM_COMPLAINT,
    }


@pytest.mark.parametrize("values", [{"counts": False}, {"held": True}, {"channel": "sms"}])
def test_what_never_counts(values: dict[str, Any]) -> None:
    assert due(ThresholdSubject([response(1), response(2, **values)])) == set()


def test_every_response_counts_in_one_place() -> None:
    """Two of the newsletter and one of none reach neither three nor two."""
    subject = ThresholdSubject(
        [response(1, group_id=NEWS), response(2, group_id=NEWS), response(3)]
    )
    own = {"news": GroupPolicy("news", {Category.TRANSIENT: Threshold(3)})}
    assert due(subject) == {TRANSIENT}
    assert due(subject, groups=own) == set()


def test_a_group_that_keeps_to_itself_uses_the_general_thresholds() -> None:
    responses = [response(1, group_id=NEWS), response(2, group_id=NEWS)]
    alone = {"news": GroupPolicy("news", deactivate=Scope.GROUP)}
    member = ThresholdSubject(responses, memberships={NEWS: None})
    assert due(member, groups=alone) == {(NEWS, Category.TRANSIENT)}
    assert due(ThresholdSubject(responses), groups=alone) == set()
    reactivated = ThresholdSubject(responses, memberships={NEWS: NOW - 1.5 * DAY})
    assert due(reactivated, groups=alone) == set()


def test_a_group_that_the_store_does_not_have_has_no_rule() -> None:
    own = {"offers": GroupPolicy("offers", {Category.TRANSIENT: Threshold(1)})}
    assert due(ThresholdSubject([response(1)]), groups=own) == set()


@pytest.mark.parametrize(
    ("threshold", "days", "expected"),
    [
        (Threshold(1), 2, False),
        (Threshold(1), 3, True),
        (Threshold(1, through_count=2), 2, True),
        (Threshold(2, 3 * DAY), 6, False),  # not so many within three days
    ],
)
def test_one_dead_member_does_not_end_an_alias(
    threshold: Threshold, days: int, expected: bool
) -> None:
    thresholds = {Category.TRANSIENT: threshold}
    failures = [response(day, through=True) for day in range(days)]
    assert due(ThresholdSubject(failures), thresholds=thresholds) == (
        {TRANSIENT} if expected else set()
    )


def test_several_dead_members_of_one_mailing_count_once_and_none_counts_as_the_address_itself() -> (
    None
):
    thresholds = {Category.INVALID_ADDRESS: Threshold(2, days_apart=0)}
    through = RecordedResponse(Category.INVALID_ADDRESS, NOW - DAY, through=True)
    itself = RecordedResponse(Category.INVALID_ADDRESS, NOW - DAY)
    assert due(ThresholdSubject([through] * 20 + [itself]), thresholds=thresholds) == set()
    assert due(ThresholdSubject([itself] * 2), thresholds=thresholds)
