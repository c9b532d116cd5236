"""How the text of a contact's field is read."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.contact_values import (
    parse_boolean,
    parse_date,
    parse_group_name,
    parse_instant,
    parse_names,
    parse_number,
    parse_text,
    parser_for,
    require_whole_date,
)
from contactctl.domain.criteria.fields import Field, FieldType

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("-3.50", -3.5), ("+7", 7), ("00012", 12), ("2.0", 2)]
)
def test_numbers(text: str, number: float) -> None:
    found = parse_number(text)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "text", ["", "1,5", "1 000", "1e3", "0x10", "nan", "inf", "١٢", ".5", "5.", "9" * 20, "1_0"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_number(text)


@pytest.mark.parametrize("text", ["true", "YES", "1"])
def test_true(text: str) -> None:
    assert parse_boolean(text) is True


@pytest.mark.parametrize("text", ["false", "No", "0"])
def test_false(text: str) -> None:
    assert parse_boolean(text) is False


@pytest.mark.parametrize("text", ["", "ja", "2", "t"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        parse_boolean(text)


@pytest.mark.parametrize("text", ["1997-01-31", "19970131"])
def test_iso_dates(text: str) -> None:
    assert parse_date(text) == date(1997, 1, 31)


def test_a_declared_date_format() -> None:
    assert parse_date("31/01/1997", "%d/%m/%Y") == date(1997, 1, 31)
    with pytest.raises(ValueError, match="of the form %d/%m/%Y"):
        parse_date("1997-01-31", "%d/%m/%Y")


@pytest.mark.parametrize(
    "text", ["", "31.01.1997", "1997-02-29", "1997-1-1", "0001-01-01", "1997-01-31T10:00:00"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a date|out of range"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-05-31T14:30:00+02:00", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-05-31T12:30:00Z", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-05-31 14:30", datetime(2024, 5, 31, 12, 30, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_instants_without_an_offset_are_in_the_configured_zone(text: str, utc: datetime) -> None:
    assert parse_instant(text, None, OSLO) == utc


def test_what_is_no_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="not an instant"):
        parse_instant("yesterday", None, OSLO)


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "x" * 1001])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NUL|longer"):
        parse_text(text)


def test_hostile_text_is_kept_as_it_is() -> None:
    for text in ("\x1b[31mred", "[bold]x[/]", "\u202eevil", "=1+1", "Robert'); DROP TABLE x;--"):
        assert parse_text(text) == text


def test_names_are_split_trimmed_and_unique() -> None:
    assert parse_names(" VIP; eu|vip ;;Ærlig|ærlig") == ("VIP", "eu", "Ærlig")
    assert parse_names(" ; | ") == ()


@pytest.mark.parametrize("name", ["", "  ", "a;b", "a|b", "x" * 101, "a\tb", "a\u202eb", "a\x00"])
def test_group_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|longer"):
        parse_group_name(name)


def test_choices_ignore_case_and_keep_the_declared_spelling() -> None:
    field = Field("attributes.tier", FieldType.CHOICE, "", ("Gold", "Silver"))
    parse = parser_for(field, date_format=None, zone=UTC)
    assert parse("GOLD") == "Gold"
    with pytest.raises(ValueError, match="not one of Gold, Silver"):
        parse("bronze")


@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind is not FieldType.SET])
@given(text=st.text(max_size=30))
def test_any_text_is_a_value_or_a_value_error(kind: FieldType, text: str) -> None:
    parse = parser_for(Field("x", kind, ""), date_format=None, zone=OSLO)
    try:
        parse(text)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    "date_format", ["%d.%m.%Y", "%Y%m%d", "%y-%j", "%x", "%G-W%V-%u", "%Y-%m-%dT%H:%M:%S%z", "%%%c"]
)
def test_a_date_format_that_holds_a_whole_date(date_format: str) -> None:
    require_whole_date(date_format)


@pytest.mark.parametrize("date_format", ["", "%d.%m", "%Y", "2001-02-03", "%Y-02-%d", "%d %d", "%"])
def test_a_date_format_that_does_not(date_format: str) -> None:
    with pytest.raises(ValueError):
        require_whole_date(date_format)
