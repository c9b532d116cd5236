"""Dates as files write them, in the order in which formats are given."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.contact_values import DateReader, iso_instant, mistake_in_format

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("formats", "text", "day"),
    [
        (["iso"], "2016-11-01", date(2016, 11, 1)),
        (["iso"], "20161101", date(2016, 11, 1)),
        (["iso"], "2016-11-01 15:00:00", date(2016, 11, 1)),
        (["iso"], "2016-11-01T15:00:00Z", date(2016, 11, 1)),
        (["iso"], "2016-11-01T23:30:00Z", date(2016, 11, 2)),  # in Oslo it is the next day
        (["iso"], "2016-11-01T23:30:00.1234567Z", date(2016, 11, 2)),  # as .NET writes it
        (["iso"], "2016-11-01 23:30:00 UTC", date(2016, 11, 2)),
        (["iso"], "2016-11-01 12:00:00 +0000", date(2016, 11, 1)),
        (["iso"], "2016-W44-2", date(2016, 11, 1)),
        (["epoch"], "1477958400", date(2016, 11, 1)),
        (["epoch"], "1477958400000", date(2016, 11, 1)),
        (["epoch"], "1477958400000000", date(2016, 11, 1)),
        (["epoch"], "1477958400.25", date(2016, 11, 1)),
        (["excel"], "42675", date(2016, 11, 1)),
        (["excel"], "42675.9999", date(2016, 11, 1)),
        (["%m/%d/%y"], "11/1/16", date(2016, 11, 1)),
        (["%b %d, %Y"], "Nov 1, 2016", date(2016, 11, 1)),
        (["%a, %d %b %Y %H:%M:%S %Z"], "Tue, 01 Nov 2016 23:30:00 GMT", date(2016, 11, 2)),
        (["iso", "%d.%m.%Y", "excel"], "01.11.2016", date(2016, 11, 1)),
        (["iso", "%d.%m.%Y", "excel"], "42675", date(2016, 11, 1)),
        (["%d/%m/%Y", "%m/%d/%Y"], "02/03/2016", date(2016, 3, 2)),  # the first one decides
        (["%d/%m/%Y", "%m/%d/%Y"], "02/13/2016", date(2016, 2, 13)),
    ],
)
def test_the_first_format_that_fits_reads_the_day(formats: list[str], text: str, day: date) -> None:
    assert DateReader(formats, OSLO).day(text) == day


@pytest.mark.parametrize(
    ("formats", "text", "words"),
    [
        (["iso"], "42675", "--date-format excel reads it as 2016-11-01"),
        (["iso"], "1477958400", "--date-format epoch reads it as 2016-11-01"),
        (["iso"], "1612011000000", "--date-format epoch reads it as 2021-01-30"),  # not year 1612
        (["iso"], "0000-00-00", "--null 0000-00-00 reads it as missing"),
        (["iso"], "01-NOV-16", "(--date-format %d-%b-%y reads it as 2016-11-01)"),
        (["iso"], "11/1/2016", "%d/%m/%Y reads it as 2016-01-11, or --date-format %m/%d/%Y reads"),
        (["iso"], "13/1/2016", "(--date-format %d/%m/%Y reads it as 2016-01-13)"),
        (["%d.%m.%Y"], "2016-11-01", "--date-format iso reads it as 2016-11-01"),
        (["iso"], "never", "--null never reads it as missing"),
        (["iso"], "00/00/0000 00:00:00", "reads it as missing"),
        (["iso"], "11/1/16", "is not a date of the form 2024-05-31"),
        (["iso", "%d.%m.%Y"], "1/1", "of the form 2024-05-31 or %d.%m.%Y"),
        (["iso"], "2016-11", "is not a date"),
        (["iso"], "2016-W44", "is not a date"),  # it would be taken for its Monday
        (["iso"], "0001-01-01", "is not a date"),
        (["iso"], "2016-02-30", "is not a date"),
        (["iso"], "2016-11-01Z15:00", "is not a date"),
        (["epoch"], "42675", "--date-format excel"),
        (["epoch"], "2016", "is not a date"),
        (["excel"], "2016", "is not a date"),  # a year, not the 2,016th day
        (["excel"], "1477958400", "--date-format epoch"),
        (["%Y"], "0999", "is not a date"),
        (["iso"], "9999-12-31T23:59:59-12:00", "is not a date"),
    ],
)
def test_what_no_format_fits_is_an_error_that_names_the_one_that_does(
    formats: list[str], text: str, words: str
) -> None:
    with pytest.raises(ValueError, match="is not a date") as caught:
        DateReader(formats, OSLO).day(text)
    assert words in str(caught.value)


def test_an_instant_without_an_offset_is_in_the_zone() -> None:
    reader = DateReader(["iso", "excel", "epoch"], OSLO)
    assert reader.instant("2016-11-01 15:00") == datetime(2016, 11, 1, 14, tzinfo=UTC)
    assert reader.instant("42675.625") == datetime(2016, 11, 1, 14, tzinfo=UTC)
    assert reader.instant("2016-11-01") == datetime(2016, 10, 31, 23, tzinfo=UTC)
    assert reader.instant("1477958400") == datetime(2016, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-05-31T14:30:00+02:00", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-05-31T12:30:00Z", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-05-31 14:30", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 30, 23, 0, tzinfo=UTC)),
        ("2024-W22-5", datetime(2024, 5, 30, 22, 0, tzinfo=UTC)),
    ],
)
def test_iso_instants(text: str, utc: datetime) -> None:
    assert iso_instant(text, OSLO) == utc


@given(text=st.text(max_size=30) | st.from_regex(r"[0-9]{4}-?W?[0-9]{2}.{0,12}"))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        iso_instant(text, OSLO)
        DateReader(["iso", "epoch", "excel", "%d.%m.%y"], OSLO).day(text)
    except ValueError as error:
        assert str(error)


def test_a_year_of_two_digits_is_remembered() -> None:
    reader = DateReader(["%d.%m.%Y", "%d.%m.%y"], OSLO)
    reader.day("01.11.2016")
    assert reader.two_digit_year is None
    reader.day("1.11.68")
    reader.day("1.11.70")
    assert reader.two_digit_year == ("1.11.68", date(2068, 11, 1))


@pytest.mark.parametrize("form", ["iso", "epoch", "excel", "%d.%m.%y"])
def test_formats_that_are_known(form: str) -> None:
    assert mistake_in_format(form) is None


@pytest.mark.parametrize("form", ["ISO8601", "%d", "unix", ""])
def test_formats_that_are_not(form: str) -> None:
    assert mistake_in_format(form)
