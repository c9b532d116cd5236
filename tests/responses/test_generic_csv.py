"""The documented form for senders of one's own, as CSV."""

import csv
import io
import json

import pytest

from contactctl.domain.errors import InputError
from contactctl.domain.responses import (
    Category,
    Event,
    Rejection,
    Response,
)
from contactctl.responses.classify import default_classifier
from contactctl.responses.read import read_events

ROW = {
    "email": "Kari@example.org",
    "category": "transient",
    "occurred_at": "2026-03-01T11:00:00+01:00",
    "group": "newsletter",
    "channel": "email",
    "id": "17",
}


def read_csv(payload: bytes) -> list[Event]:
    csv.field_size_limit(1 << 20)  # as an import in the same process may have left it
    return list(read_events([io.BytesIO(payload)], default_classifier(), format="csv"))


def test_a_spreadsheet_s_first_line_may_name_the_delimiter() -> None:
    [event] = read_csv(b"sep=;\r\nemail;category\r\nkari@example.org;blocked\r\n")
    assert (event.category, event.source) == (Category.BLOCKED, "-:3")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_gives_what_json_lines_give(delimiter: str, newline: str, mark: bytes) -> None:
    rows = [ROW, ROW | {"id": "18", "group": 'a "b"; c,\td|e', "email": "ola@example.org"}]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ROW, delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    events = read_csv(mark + text.getvalue().encode())
    as_json = "\n".join(map(json.dumps, rows)).encode()
    [one, two] = read_events([io.BytesIO(b"\n" + as_json)], default_classifier(), format="jsonl")
    assert events == [one, two]
    assert [event.source for event in events] == ["-:2", "-:3"]


def test_csv_columns_in_any_case_order_and_company() -> None:
    [event] = read_csv(b" Category ,shoe size, EMAIL \nblocked,43,kari@example.org\n")
    assert (event.recipient, event.category) == ("kari@example.org", Category.BLOCKED)


def test_csv_a_short_row_lacks_values_and_a_long_one_is_rejected() -> None:
    payload = b"email,category,id\na@b.no,blocked\n\na@b.no,blocked,1,2\n\nc@d.no,blocked,2\n"
    short, long, last = read_csv(payload)
    assert short.category is last.category is Category.BLOCKED
    assert (long.source, long.raw) == ("-:4", b"a@b.no,blocked,1,2")


def test_csv_a_runaway_quote_costs_its_rows_and_no_more() -> None:
    rows = b"a@b.no,blocked\n" * 20_000
    events = read_csv(b'email,category\n"a@b.no,blocked\n' + rows)
    assert isinstance(events[0], Rejection)
    assert events[0].source == "-:2"
    assert "unreadable row" in events[0].reason
    assert isinstance(events[-1], Response)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"who,category\n", "-:1: no column 'email'"),
        (b"email,category,Email\n", "-:1: column 'email' twice"),
        (
            b"email," + b"x" * 200_000,
            "-:1: unreadable header: field larger than field limit (131072)",
        ),
        (b"email,category\na@b.no,blocked\n\xe5@b.no,blocked\n", "-:3: not UTF-8"),
        ("email,category\n".encode("utf-16"), "-:1: not UTF-8"),
        (b"email\n" + b"x" * (2 << 20), "-:2: a line of more than 1 MiB"),
    ],
)
def test_csv_that_is_refused_as_a_whole(payload: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_csv(payload)
    assert caught.value.message == message
    assert caught.value.hint
