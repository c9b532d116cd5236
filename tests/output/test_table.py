from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from contactctl.output.table import write_table
from contactctl.output.view import (
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
    write_table(Presentation(rows=rows, blocks=blocks), console, "probe")
    return console.stdout.getvalue()


def table(*items: Row, columns: Sequence[str] = ("id", "email")) -> Table:
    return Table([Column(key) for key in columns], items)


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    text = shown(table({"id": 7, "email": "ann@example.com"}, {"id": 1284, "email": "bo@x.org"}))

    assert text == "  ID  EMAIL\n   7  ann@example.com\n1284  bo@x.org\n"


def test_how_many_there_are_is_written_as_in_prose_and_other_numbers_are_not() -> None:
    text = shown(table({"run": 1284, "contacts": 5000}, columns=("run", "contacts")))

    assert text == " RUN  CONTACTS\n1284     5,000\n"


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


def on_terminal(width: int, columns: Sequence[Column], *items: Row) -> list[str]:
    return shown(Table(columns, items), tty=True, width=width).splitlines()


def test_text_that_wraps_goes_on_below_and_nothing_is_lost() -> None:
    columns = [Column("id"), Column("why", wraps=True)]

    lines = on_terminal(26, columns, {"id": 1, "why": "the server's policy says no"})

    assert lines == ["ID  WHY", " 1  the server's policy", "    says no"]


def test_a_word_longer_than_its_column_is_broken() -> None:
    lines = on_terminal(24, [Column("id"), Column("path", wraps=True)], {"id": 1, "path": "x" * 50})

    assert [line[4:] for line in lines[1:]] == ["x" * 20, "x" * 20, "x" * 10]


def test_columns_that_yield_are_cut_before_the_others() -> None:
    columns = [Column("email"), Column("reason", yields=True)]
    row = {"email": "ann.longname@example.com", "reason": "spring cleaning"}

    lines = on_terminal(38, columns, row)

    assert lines[1] == "ann.longname@example.com  spring clea…"


def test_times_and_numbers_are_never_cut_and_headings_are_broken_at_blanks() -> None:
    columns = [Column("occurred_at"), Column("number_of_all"), Column("reason", yields=True)]
    row = {
        "occurred_at": datetime(2026, 6, 15, 12, tzinfo=UTC),
        "number_of_all": 123456789,
        "reason": "the mailbox is full",
    }

    assert on_terminal(41, columns, row) == [
        "OCCURRED AT       NUMBER OF",
        "(UTC)                   ALL  REASON",
        "2026-06-15 12:00  123456789  the mailbox…",
    ]


def test_columns_that_yield_are_left_out_before_they_say_too_little() -> None:
    columns = [Column("email"), Column("reason", yields=True), Column("group", yields=True)]
    row = {"email": "ann.longname@example.com", "reason": "spring cleaning", "group": "news, more"}
    console = memory_console(tty=True, width=38)

    write_table(
        Presentation(rows=Rows("r", columns, [row]), blocks=[RowsTable()]), console, "probe"
    )

    assert console.stdout.getvalue().splitlines()[0] == "EMAIL                     REASON"
    said = " ".join(console.stderr.getvalue().split())
    assert said == "note: no room for group; --fields shows what is left out"


def test_a_column_asked_for_is_never_left_out() -> None:
    columns = [Column("email"), Column("reason", yields=True), Column("group", yields=True)]
    row = {"email": "ann@example.com", "reason": "spring cleaning", "group": None}
    rows = Rows("r", columns, [row]).pick(["email", "reason", "group"])

    heading = shown(RowsTable(), rows=rows, tty=True, width=30).splitlines()[0]

    assert heading.split() == ["EMAIL", "REASON", "GROUP"]


def test_columns_that_say_nothing_go_where_there_is_no_room() -> None:
    columns = [Column("email"), Column("group"), Column("held")]
    row = {"email": "ann@example.com", "group": None, "held": False}

    assert on_terminal(40, columns, row)[1] == "ann@example.com  -      no"
    assert on_terminal(20, columns, row) == ["EMAIL", "ann@example.com"]


def test_on_a_very_narrow_terminal_columns_that_yield_go() -> None:
    columns = [Column("id"), Column("email"), Column("reason", yields=True)]
    row = {"id": 1, "email": "ann@example.com", "reason": "spring cleaning"}

    assert on_terminal(16, columns, row) == ["ID  EMAIL", " 1  ann@example…"]


def test_bars_fit_the_terminal() -> None:
    assert shown(Bars([("2026-01", 10)]), tty=True, width=20) == "2026-01  10  #######\n"


def test_the_zone_of_instants_stands_in_the_heading() -> None:
    row = {"started": datetime(2026, 6, 15, 12, tzinfo=UTC)}

    assert shown(table(row, columns=["started"])) == "STARTED (UTC)\n2026-06-15 12:00\n"


def test_long_values_go_on_below_themselves_on_a_terminal() -> None:
    condition = "last_opportunity older-than 24 months   (last_opportunity before 2024-06-15)"
    block = KeyValues([("Criteria", condition)])

    assert shown(block, tty=True, width=60).splitlines() == [
        "Criteria  last_opportunity older-than 24 months",
        "            (last_opportunity before 2024-06-15)",
    ]
    assert shown(block) == f"Criteria  {condition}\n"


def test_paragraphs_are_broken_at_blanks_on_a_terminal() -> None:
    assert shown(Text("one two three four"), tty=True, width=10) == "one two\nthree four\n"


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
