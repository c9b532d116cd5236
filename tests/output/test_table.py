from collections.abc import Sequence

import pytest

from contactctl.output.formats.table import write
from contactctl.output.presentation import (
    Bars,
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Row,
    Rows,
    RowsTable,
    Table,
    Text,
    Verbatim,
)
from helpers.consoles import memory_console

HOSTILE = "[bold]x[/bold]\x1b[2J\u202egnp\n"


def shown(
    *blocks: Block,
    rows: Rows | None = None,
    tty: bool = False,
    width: int = 80,
    colour: bool = False,
) -> str:
    console = memory_console(tty=tty, width=width, env={} if colour else None)
    write(Presentation(rows=rows, blocks=blocks), console, "probe")
    return console.stdout.getvalue()


def table(*items: Row, columns: Sequence[str] = ("id", "email")) -> Table:
    return Table([Column(key) for key in columns], items)


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    text = shown(table({"id": 7, "email": "ann@example.com"}, {"id": 1284, "email": "bo@x.org"}))

    assert text == "  ID  EMAIL\n   7  ann@example.com\n1284  bo@x.org\n"


def test_an_empty_table_says_so() -> None:
    assert shown(Table([Column("id")], [], empty="no contacts")) == "no contacts\n"


def test_a_terminal_gets_long_cells_cut_to_its_width() -> None:
    long = {"id": 1, "email": "a" * 100}

    lines = shown(table(long), tty=True, width=40).splitlines()

    assert max(map(len, lines)) <= 40
    assert lines[1].endswith("a…")


def test_a_pipe_gets_every_character() -> None:
    assert "a" * 100 in shown(table({"id": 1, "email": "a" * 100}))


def test_wide_characters_count_twice() -> None:
    lines = shown(
        table({"id": 1, "email": "漢字"}, {"id": 2, "email": "ab"}, columns=("email", "id"))
    ).splitlines()

    assert lines == ["EMAIL  ID", "漢字    1", "ab      2"]


def test_wide_characters_are_cut_within_the_width() -> None:
    lines = shown(table({"id": 1, "email": "漢" * 50}), tty=True, width=20).splitlines()

    assert lines[1] == " 1  " + "漢" * 7 + "…"


def test_what_contacts_hold_is_shown_and_never_obeyed() -> None:
    blocks = [
        table({"id": 1, "email": HOSTILE}),
        KeyValues([("name", HOSTILE)]),
        Heading(HOSTILE),
        Text(HOSTILE),
        Bars([(HOSTILE, 1)]),
    ]
    for block in blocks:
        text = shown(block, tty=True)
        assert "[bold]x[/bold]\\x1b[2J\\u202egnp" in text
        assert "\x1b" not in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (False, "no"),
        (["b", "a"], "b, a"),
        ({"b", "a"}, "a, b"),
    ],
)
def test_values_are_in_words(value: object, expected: str) -> None:
    assert shown(KeyValues([("x", value)])) == f"x  {expected}\n"


def test_columns_not_for_people_are_left_out() -> None:
    rows = Rows("r", [Column("id"), Column("key", for_people=False)], [{"id": 1, "key": "k"}])

    assert shown(RowsTable(), rows=rows) == "ID\n 1\n"


def test_blocks_are_apart_and_a_heading_stands_on_what_it_heads() -> None:
    text = shown(Heading("Totals"), KeyValues([("active", 3), ("inactive", 14)]), Text("Done."))

    assert text == "Totals\nactive    3\ninactive  14\n\nDone.\n"


def test_bars_are_as_long_as_their_numbers() -> None:
    lines = shown(Bars([("2026-01", 10), ("2026-02", 5), ("2026-03", 0)])).splitlines()

    assert lines == [f"2026-01  10  {'#' * 40}", f"2026-02   5  {'#' * 20}", "2026-03   0"]


def test_rows_beyond_the_measured_ones_come_out_too() -> None:
    rows = ({"id": number} for number in range(2000))

    assert len(shown(Table([Column("id")], rows)).splitlines()) == 2001


def test_verbatim_text_is_not_touched() -> None:
    assert shown(Verbatim("local IFS=$'\\n'\n\ty\n")) == "local IFS=$'\\n'\n\ty\n"


def test_colour_is_for_terminals_that_want_it() -> None:
    assert shown(Heading("Totals"), tty=True, colour=True) == "\x1b[1mTotals\x1b[0m\n"
    assert shown(Heading("Totals"), colour=True) == "Totals\n"
    assert shown(Heading("Totals"), tty=True) == "Totals\n"
