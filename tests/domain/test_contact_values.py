"""How the text of a contact's field is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.contact_values import (
    parse_boolean,
    parse_number,
    parse_text,
    parser_for,
    require_whole_date,
)
from contactctl.domain.criteria.fields import Field, FieldType
from contactctl.domain.name_cells import names_in, parse_group_name


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


@pytest.mark.parametrize("text", ["", "ja", "2", "tr"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        parse_boolean(text)


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "x" * 1001])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NUL|longer"):
        parse_text(text)


def test_hostile_text_is_kept_as_it_is() -> None:
    for text in ("\x1b[31mred", "[bold]x[/]", "\u202eevil", "=1+1", "Robert'); DROP TABLE x;--"):
        assert parse_text(text) == text


def test_names_are_split_trimmed_and_unique() -> None:
    assert names_in("tag", " VIP; eu|vip ;;Ærlig|ærlig", None) == ("VIP", "eu", "Ærlig")
    assert names_in("tag", " ; | ", None) == ()


@pytest.mark.parametrize("name", ["", "  ", "a;b", "a|b", "x" * 101, "a\tb", "a\u202eb", "a\x00"])
def test_group_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|longer"):
        parse_group_name(name)


def test_choices_ignore_case_and_keep_the_declared_spelling() -> None:
    field = Field("attributes.tier", FieldType.CHOICE, "", ("Gold", "Silver"))
    parse = parser_for(field)
    assert parse("GOLD") == "Gold"
    with pytest.raises(ValueError, match="not one of Gold, Silver"):
        parse("bronze")


@pytest.mark.parametrize("kind", [FieldType.TEXT, FieldType.NUMBER, FieldType.BOOLEAN])
@given(text=st.text(max_size=30))
def test_any_text_is_a_value_or_a_value_error(kind: FieldType, text: str) -> None:
    parse = parser_for(Field("x", kind, ""))
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
