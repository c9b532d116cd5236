"""Durations as text."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.criteria.values import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24 hours", timedelta(hours=24)),
        ("1 hour", timedelta(hours=1)),
        ("30 days", timedelta(days=30)),
        ("2 weeks", timedelta(days=14)),
        (" 1  Day ", timedelta(days=1)),
        ("7days", timedelta(days=7)),
    ],
)
def test_hours_days_and_weeks_are_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        *("", "30", "days", "0 days", "-1 days", "1.5 days", "1000000 days", "1e3 days"),
        *("2 months", "1 year", "1 day 2 hours", "1 dayss", "٣ days", "1 day\n2 days"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("hours", "text"), [(1, "1 hour"), (23, "23 hours"), (24, "1 day"), (336, "14 days")]
)
def test_durations_are_shown_in_days_where_they_come_out_even(hours, text):
    assert format_duration(timedelta(hours=hours)) == text


@given(st.integers(1, 99_999))
def test_what_is_shown_is_read_back(hours):
    duration = timedelta(hours=hours)
    assert parse_duration(format_duration(duration)) == duration
