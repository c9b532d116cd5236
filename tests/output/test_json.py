import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.errors import ExitCode, Problem, RefusedError
from contactctl.domain.text import UNSAFE_CHARACTERS
from contactctl.output.formats import write_json, write_jsonl
from contactctl.output.values import escape_unsafe_in_json, to_json
from contactctl.output.view import Column, Presentation, Rows
from helpers.consoles import memory_console

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Colour(StrEnum):
    RED = "red"


def written(presentation: Presentation, *, tty: bool = False) -> str:
    console = memory_console(tty=tty)
    write_json(presentation, console, "probe")
    return console.stdout.getvalue()


def numbers(items: Iterable[int]) -> Rows:
    rows: Iterable[dict[str, object]] = [{"n": item} for item in items]
    return Rows("numbers", [Column("n")], rows)


def test_the_envelope_of_a_success() -> None:
    document = json.loads(written(Presentation({"as_of": "x"}, numbers([1, 2]))))

    assert document == {
        "version": 1,
        "command": "probe",
        "status": "success",
        "exit_code": 0,
        "data": {"as_of": "x", "numbers": [{"n": 1}, {"n": 2}]},
        "errors": [],
    }


def test_a_refusal_still_shows_its_data() -> None:
    refused = Presentation({"count": 3}).failed(RefusedError("over the limit", hint="less"))

    document = json.loads(written(refused))

    assert (document["status"], document["exit_code"]) == ("error", 4)
    assert document["data"] == {"count": 3}
    assert document["errors"] == [{"code": "refused", "message": "over the limit", "hint": "less"}]


def test_partly_done_is_partial() -> None:
    presentation = Presentation(problems=[Problem("reject", "line 3")], exit_code=ExitCode.PARTIAL)

    assert json.loads(written(presentation))["status"] == "partial"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_streamed_envelope_is_the_same_document(count: int) -> None:
    data = {"numbers_of": "x", "before": {"numbers": []}}
    problems = [Problem("reject", '"numbers": []')]
    at_once = Presentation(data, numbers(range(count)), (), (), problems, ExitCode.PARTIAL)
    lazy = Rows("numbers", [Column("n")], iter([{"n": n} for n in range(count)]))
    streamed = Presentation(data, lazy, (), (), problems, ExitCode.PARTIAL)

    assert json.loads(written(streamed)) == json.loads(written(at_once))


def test_a_terminal_gets_it_indented_and_a_pipe_on_one_line() -> None:
    assert written(Presentation({"a": 1})).count("\n") == 1
    assert '\n  "version": 1,' in written(Presentation({"a": 1}), tty=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 31, 8, tzinfo=UTC), "2026-01-31T08:00:00Z"),
        (datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T06:00:00Z"),
        (date(2026, 1, 31), "2026-01-31"),
        (Decimal("29.90"), 29.9),
        (Decimal("29.00"), 29),
        ({"b", "a"}, ["a", "b"]),
        ((1, None), [1, None]),
        ({Colour.RED: Colour.RED}, {"red": "red"}),
        (float("nan"), None),
    ],
)
def test_values_have_one_form(value: object, expected: object) -> None:
    assert to_json(value) == expected


def test_a_value_without_an_agreed_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_json(object())


@given(json_values)
def test_escaping_keeps_the_value_and_leaves_nothing_a_terminal_obeys(value: object) -> None:
    escaped = escape_unsafe_in_json(json.dumps(value, ensure_ascii=False))

    assert json.loads(escaped) == value
    assert not UNSAFE_CHARACTERS.search(escaped)


def test_json_lines_are_the_rows_alone() -> None:
    console = memory_console()

    write_jsonl(Presentation({"as_of": "x"}, numbers([1, 2])), console, "probe")

    assert console.stdout.getvalue() == '{"n": 1}\n{"n": 2}\n'


def test_a_result_without_rows_is_one_json_line() -> None:
    console = memory_console()

    write_jsonl(Presentation({"active": 3}), console, "probe")

    assert console.stdout.getvalue() == '{"active": 3}\n'
