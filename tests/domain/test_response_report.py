"""Rates, what is worst, and limits."""

from datetime import timedelta

import pytest

from contactctl.domain.response_report import (
    Figures,
    RateLimit,
    over_limit,
    parse_period,
    parse_rate_limit,
    total_of,
    worst_first,
)


def test_bounces_are_of_the_mails_tried_and_complaints_of_those_delivered() -> None:
    row = Figures("x.no", delivered=90, bounced=10, complained=9)
    assert (row.bounce_rate, row.complaint_rate) == (10, 10)
    assert (Figures("y.no").bounce_rate, Figures("y.no", 0, 1).complaint_rate) == (None, None)


def test_the_worst_come_first_and_one_mail_says_little() -> None:
    rows = [
        Figures("well", 10_000),
        Figures("one of one", 0, 1),
        Figures("half of many", 500, 500),
        Figures("few of many", 980, 20),
        Figures("nothing"),
    ]
    assert [row.name for row in worst_first(rows)] == [
        *("half of many", "one of one", "few of many", "well", "nothing"),
    ]
    assert all(0 <= row.badness <= 1 for row in rows)
    assert Figures("only complaints", 0, 0, 5).badness > 0.5


def test_a_limit_holds_for_all_together_and_for_rows_of_enough_mails() -> None:
    rows = [Figures("small", 9, 0, 1), Figures("large", 990, 0, 5), Figures("well", 99_000)]
    limit = RateLimit("complaints", 0.3)
    assert [row.name for row in over_limit(rows, total_of(rows), limit)] == ["large"]
    assert [row.name for row in over_limit(rows[:1], total_of(rows[:1]), limit)] == ["all"]
    assert over_limit([], total_of([]), limit) == []
    exactly = Figures("exactly", 997, 3)
    assert not RateLimit("bounces", 0.3).is_exceeded_by(exactly)


def test_complaints_without_deliveries_are_over_any_limit() -> None:
    assert RateLimit("complaints", 100).is_exceeded_by(Figures("x", complained=1))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("complaints=0.3%", RateLimit("complaints", 0.3)),
        (" Bounces = 5 ", RateLimit("bounces", 5)),
        ("complaints=0", RateLimit("complaints", 0)),
        ("bounces=100%", RateLimit("bounces", 100)),
    ],
)
def test_a_limit_is_read(text: str, limit: RateLimit) -> None:
    assert parse_rate_limit(text) == limit


@pytest.mark.parametrize(
    "text",
    ["", "complaints", "complaint=1", "bounces=101", "bounces=-1", "bounces=1%%", "x=1"],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither complaints"):
        parse_rate_limit(text)


@pytest.mark.parametrize(
    ("text", "hours"), [("7d", 168), ("24h", 24), ("2w", 336), ("36 hours", 36), ("1 day", 24)]
)
def test_a_period_is_read(text: str, hours: int) -> None:
    assert parse_period(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "7m", "7 d", "2024-05-31", "9999999d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_period(text)
