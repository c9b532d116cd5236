"""Relative dates, days and spans as of one instant, in one time zone; by worked examples."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.contacts import Status
from contactctl.domain.criteria.conditions import Condition, parse_condition
from contactctl.domain.criteria.fields import OPERATORS, USAGES, FieldCatalogue, Operator, Takes
from contactctl.domain.criteria.resolve import (
    Range,
    ResolvedCriteria,
    Test,
    criteria_lines,
    resolve,
)
from contactctl.domain.criteria.tree import Criteria, from_flags
from contactctl.domain.criteria.values import Span, Unit, shift_date, shift_instant, start_of_day
from contactctl.domain.errors import CriteriaError
from helpers.criteria_reference import ContactView, contact_view, matches

OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2024, 3, 31, 10, 0, tzinfo=UTC)


def resolved(text: str, now: datetime = NOON, zone: ZoneInfo = OSLO) -> ResolvedCriteria:
    return resolve(from_flags([text], [], [], FieldCatalogue()), now, zone)


def contact(**values: object) -> ContactView:
    fixed = {"id": 1, "email_key": "a@b.example", "email_domain": "b.example"}
    times = {"created": NOON, "updated": NOON}
    return contact_view(status=Status.ACTIVE, **(fixed | times | values))


@pytest.mark.parametrize(
    ("day", "span", "direction", "expected"),
    [
        (date(2024, 3, 31), Span(1, Unit.MONTHS), -1, date(2024, 2, 29)),
        (date(2023, 3, 31), Span(1, Unit.MONTHS), -1, date(2023, 2, 28)),
        (date(2024, 2, 29), Span(1, Unit.YEARS), -1, date(2023, 2, 28)),
        (date(2024, 2, 29), Span(4, Unit.YEARS), -1, date(2020, 2, 29)),
        (date(2024, 1, 31), Span(1, Unit.MONTHS), 1, date(2024, 2, 29)),
        (date(2024, 1, 15), Span(1, Unit.MONTHS), -1, date(2023, 12, 15)),
        (date(2024, 12, 31), Span(2, Unit.MONTHS), 1, date(2025, 2, 28)),
        (date(2024, 3, 31), Span(24, Unit.MONTHS), -1, date(2022, 3, 31)),
        (date(2024, 3, 1), Span(1, Unit.DAYS), -1, date(2024, 2, 29)),
        (date(2024, 3, 31), Span(2, Unit.WEEKS), 1, date(2024, 4, 14)),
        (date(2024, 3, 31), Span(0, Unit.MONTHS), -1, date(2024, 3, 31)),
    ],
)
def test_calendar_arithmetic(day, span, direction, expected):
    assert shift_date(day, span, direction) == expected


@pytest.mark.parametrize(
    ("moment", "span", "direction", "expected"),
    [  # Oslo: clocks go forward on 31 March 2024 at 01:00 UTC, back on 27 October at 01:00 UTC
        ("2024-04-01T10:00Z", Span(2, Unit.DAYS), -1, "2024-03-30T11:00Z"),
        ("2024-04-30T10:00Z", Span(1, Unit.MONTHS), -1, "2024-03-30T11:00Z"),
        ("2024-03-30T01:30Z", Span(1, Unit.DAYS), 1, "2024-03-31T01:30Z"),  # 02:30 is skipped
        ("2024-10-26T00:30Z", Span(1, Unit.DAYS), 1, "2024-10-27T00:30Z"),  # the first 02:30
        ("2024-10-27T01:30Z", Span(0, Unit.DAYS), -1, "2024-10-27T01:30Z"),  # the second stays
    ],
)
def test_instants_keep_their_wall_clock_time(moment, span, direction, expected):
    shifted = shift_instant(datetime.fromisoformat(moment), span, direction, OSLO)
    assert shifted == datetime.fromisoformat(expected)


def test_a_day_begins_at_the_change_where_midnight_is_skipped():
    beirut = ZoneInfo("Asia/Beirut")  # 26 March 2022 ended 00:00 -> 01:00 on the 27th
    assert start_of_day(date(2022, 3, 27), beirut) == datetime(2022, 3, 26, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("last_opportunity older-than 24 months", None, date(2022, 3, 30)),
        ("last_opportunity within-last 1 month", date(2024, 2, 29), date(2024, 3, 31)),
        ("last_opportunity within-next 1 month", date(2024, 3, 31), date(2024, 4, 30)),
        ("last_opportunity later-than 1 month", date(2024, 5, 1), None),
        ("last_opportunity before 2024-01-01", None, date(2023, 12, 31)),
        ("last_opportunity after 2024-01-01", date(2024, 1, 2), None),
        ("last_opportunity on 2024-01-01", date(2024, 1, 1), date(2024, 1, 1)),
        ("last_opportunity between 2024-01-01 and 2024-01-31", date(2024, 1, 1), date(2024, 1, 31)),
    ],
)
def test_dates_count_from_today(text, first, last):
    criteria = resolved(text)
    for edge, step in ((first, -1), (last, 1)):
        if edge is not None:
            outside = shift_date(edge, Span(1, Unit.DAYS), step)
            assert matches(criteria, contact(last_opportunity=edge))
            assert not matches(criteria, contact(last_opportunity=outside))
    assert not matches(criteria, contact(last_opportunity=None))


def test_today_is_that_of_the_configured_zone():
    late = datetime(2024, 3, 30, 23, 30, tzinfo=UTC)  # in Oslo it is the 31st already
    todays = contact(last_opportunity=date(2024, 3, 31))
    assert matches(resolved("last_opportunity within-last 0 days", late), todays)
    assert not matches(
        resolved("last_opportunity within-last 0 days", late, ZoneInfo("UTC")), todays
    )


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [  # the 31st of March 2024 has 23 hours in Oslo
        ("created on 2024-03-31", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59.999999Z"),
        ("created before 2024-03-31", None, "2024-03-30T22:59:59.999999Z"),
        ("created after 2024-03-31", "2024-03-31T22:00:00Z", None),
        ("created between 2024-03-30 and 2024-03-31", "2024-03-29T23:00:00Z",
         "2024-03-31T21:59:59.999999Z"),
        ("created between 2024-03-31 and 2024-03-31T10:00Z", "2024-03-30T23:00:00Z",
         "2024-03-31T10:00:00Z"),
        ("created after 2024-03-31T10:00Z", "2024-03-31T10:00:00.000001Z", None),
        ("created before 2024-03-31T10:00Z", None, "2024-03-31T09:59:59.999999Z"),
        ("created older-than 1 day", None, "2024-03-30T10:59:59.999999Z"),
        ("created within-last 1 day", "2024-03-30T11:00:00Z", "2024-03-31T10:00:00Z"),
        ("created within-next 1 day", "2024-03-31T10:00:00Z", "2024-04-01T10:00:00Z"),
        ("created later-than 1 day", "2024-04-01T10:00:00.000001Z", None),
    ],
)  # fmt: skip
def test_instants_at_their_edges(text, first, last):
    criteria = resolved(text)
    for edge, step in ((first, -1), (last, 1)):
        if edge is not None:
            inside = datetime.fromisoformat(edge)
            assert matches(criteria, contact(created=inside))
            assert not matches(criteria, contact(created=inside + step * datetime.resolution))


def test_description_fills_the_dates_in():
    criteria = from_flags(
        ["last_opportunity older-than 24 months", "created on 2024-03-31", "id between 1 and 2"],
        [],
        ["last_opened within-last 1 day"],
        FieldCatalogue(),
    )
    assert resolve(criteria, NOON, OSLO).describe() == [
        ("last_opportunity older-than 24 months", "last_opportunity before 2022-03-31"),
        (
            "created on 2024-03-31",
            "created between 2024-03-31T00:00:00+01:00 and 2024-03-31T23:59:59.999999+02:00",
        ),
        ("id between 1 and 2", "id between 1 and 2"),
        (
            "last_opened within-last 1 day",
            "last_opened between 2024-03-30T12:00:00+01:00 and 2024-03-31T12:00:00+02:00",
        ),
    ]


def test_people_get_the_dates_to_the_second():
    now = NOON.replace(microsecond=123456)
    shown = resolved("last_opened within-last 2 days", now)

    assert criteria_lines(shown) == [
        "last_opened within-last 2 days   (last_opened between"
        " 2024-03-29T12:00:00+01:00 and 2024-03-31T12:00:00+02:00)"
    ]
    assert "123456" in shown.describe()[0][1]


def test_a_span_out_of_the_calendar_is_an_error():
    ancient = datetime(100, 1, 1, tzinfo=UTC)
    with pytest.raises(CriteriaError, match="200 years from 100 is outside the calendar"):
        resolved("last_opportunity older-than 200 years", ancient)


@pytest.mark.parametrize(
    "text",
    [
        "email = Anna@MÜNCHEN.example",
        "email in nobody@x.example,anna@xn--mnchen-3ya.example",
        "email_domain = München.example",
        "email_domain not-in b.example,c.example",
    ],
)
def test_addresses_are_compared_by_their_key(text):
    anna = contact(email_key="anna@xn--mnchen-3ya.example", email_domain="xn--mnchen-3ya.example")
    assert matches(resolved(text), anna)
    assert not matches(resolved(text), contact())


ZONES = ["UTC", "Europe/Oslo", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]
spans = st.builds(Span, st.integers(0, 200), st.sampled_from(Unit))
days = st.dates(date(1000, 1, 1), date(9000, 12, 31))
instants = st.datetimes(datetime(999, 12, 31), datetime(9001, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def in_order(values: tuple[date, date]) -> bool:
    """A date and an instant are of no order before the zone is known."""
    return type(values[0]) is not type(values[1]) or values[0] <= values[1]


@st.composite
def times_of(draw: st.DrawFn, name: str) -> Condition:
    field = FieldCatalogue().find(name)
    operator = draw(st.sampled_from(OPERATORS[field.type]))
    value = days if name == "last_opportunity" or operator is Operator.ON else days | instants
    takes = USAGES[operator].takes
    if takes is Takes.RANGE:
        values = st.tuples(value, value).filter(in_order)
        return Condition(field, operator, draw(values))
    values = {Takes.NOTHING: st.just(()), Takes.SPAN: st.tuples(spans), Takes.ONE: st.tuples(value)}
    return Condition(field, operator, draw(values[takes]))


@given(
    times_of("created") | times_of("last_opportunity"),
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES).map(ZoneInfo),
)
def test_what_is_printed_with_its_dates_reads_back_as_the_same_selection(condition, now, zone):
    printed = resolve(Criteria(all=(condition,)), now, zone)
    ((written, dated),) = printed.describe()
    assert parse_condition(written, FieldCatalogue()) == condition
    read = parse_condition(dated, FieldCatalogue())
    # read elsewhere and later, a date that was filled in must not move
    elsewhere = zone if dated == written else ZoneInfo("Asia/Tokyo")
    again = resolve(Criteria(all=(read,)), now + timedelta(days=400), elsewhere)
    for edge in edges(printed.tests[condition]):
        view = contact(created=edge, last_opportunity=edge)
        assert matches(again, view) == matches(printed, view)


def edges(test: Test) -> list[Any]:
    """The bounds, and what lies next to them on both sides."""
    if not isinstance(test, Range):
        return []
    bounds = [bound for bound in (test.lower, test.upper) if bound is not None]
    step = datetime.resolution if isinstance(bounds[0], datetime) else timedelta(days=1)
    return [bound + side * step for bound in bounds for side in (-1, 0, 1)]


def test_a_day_that_the_zone_skips_is_printed_as_written():
    apia = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
    skipped = resolved("created on 2011-12-30", NOON, apia)
    assert skipped.describe() == [("created on 2011-12-30", "created on 2011-12-30")]
