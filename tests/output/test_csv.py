import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.text import undo_defuse
from contactctl.output.formats import cell, write_csv
from contactctl.output.view import Column, Presentation, Rows
from helpers.consoles import memory_console


def written(*rows: dict[str, object], tty: bool = False) -> str:
    columns = [Column(key) for key in rows[0]]
    console = memory_console(tty=tty)
    write_csv(Presentation(rows=Rows("rows", columns, rows)), console, "probe")
    return console.stdout.getvalue()


def test_a_header_and_a_line_per_row_end_with_cr_lf() -> None:
    assert written({"id": 1, "name": "Ann"}) == "id,name\r\n1,Ann\r\n"


def test_quotes_commas_and_newlines_are_quoted() -> None:
    assert written({"name": 'a "b", c\nd'}) == 'name\r\n"a ""b"", c\nd"\r\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (2.5, "2.5"),
        (Decimal("29.90"), "29.9"),
        ("-5", "'-5"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00Z"),
        ({"b", "a"}, "a;b"),
        (["=1", "b"], "'=1;b"),
        ({"plan": "free"}, '{"plan": "free"}'),
        ([1, 2], "[1, 2]"),
    ],
)
def test_a_value_has_one_form(value: object, expected: str) -> None:
    assert cell(value) == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_text_comes_back_when_it_is_read_and_undone(texts: list[str]) -> None:
    keys = [str(number) for number in range(len(texts))]

    _, row = csv.reader(StringIO(written(dict(zip(keys, texts, strict=True))), newline=""))

    assert [undo_defuse(text) for text in row] == texts


def test_a_terminal_gets_no_escape_sequence() -> None:
    row = {"name": "\x1b[31mred"}

    assert "\x1b" not in written(row, tty=True)
    assert "\x1b" in written(row)


def test_a_result_without_rows_is_one_row() -> None:
    console = memory_console()
    write_csv(Presentation({"active": 3, "groups": ["a", "b"]}), console, "probe")

    assert console.stdout.getvalue() == "active,groups\r\n3,a;b\r\n"
