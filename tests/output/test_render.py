import json

import pytest

from contactctl.domain.errors import REJECT, ExitCode, Problem, UsageError
from contactctl.output.view import (
    Column,
    KeyValues,
    OutputChoice,
    OutputFormat,
    Presentation,
    Rows,
    RowsTable,
    Text,
    render,
)
from helpers.consoles import memory_console

ROWS = Rows(
    "contacts",
    [Column("id"), Column("email"), Column("key", for_people=False)],
    [{"id": 1, "email": "ann@example.com", "key": "k"}],
)


def rendered(presentation: Presentation, output_format: str, *fields: str) -> tuple[str, str]:
    console = memory_console()
    render(presentation, OutputChoice(OutputFormat(output_format), fields), console, "probe")
    return console.stdout.getvalue(), console.stderr.getvalue()


@pytest.mark.parametrize(
    ("output_format", "expected"),
    [
        ("table", "KEY   ID\nk     1\n"),
        ("csv", "key,id\r\nk,1\r\n"),
        ("jsonl", '{"key": "k", "id": 1}\n'),
    ],
)
def test_fields_pick_columns_in_their_order(output_format: str, expected: str) -> None:
    presentation = Presentation(rows=ROWS, blocks=[Text("above"), RowsTable()])

    out, _ = rendered(presentation, output_format, "key", "id")

    assert out.split() == expected.split()


def test_fields_pick_from_the_data_of_a_result_without_rows() -> None:
    presentation = Presentation({"active": 3, "total": 5}, blocks=[KeyValues([("Active", 3)])])

    assert json.loads(rendered(presentation, "json", "total")[0])["data"] == {"total": 5}
    assert rendered(presentation, "table", "total")[0] == "total  5\n"


@pytest.mark.parametrize("output_format", list(OutputFormat))
def test_an_unknown_field_is_refused_in_every_format(output_format: str) -> None:
    with pytest.raises(UsageError, match="unknown field 'emial'") as error:
        rendered(Presentation(rows=ROWS), output_format, "emial")

    assert error.value.hint == "did you mean 'email'?"


def test_a_result_without_fields_says_so() -> None:
    with pytest.raises(UsageError) as error:
        rendered(Presentation(), "json", "id")

    assert error.value.hint == "this result has no fields to choose from"


@pytest.mark.parametrize("output_format", ["table", "csv", "jsonl"])
def test_what_went_wrong_is_on_stderr(output_format: str) -> None:
    problem = Problem("reject", "line 3: no email", "fix it")
    partly = Presentation(rows=ROWS, problems=[problem], exit_code=ExitCode.PARTIAL)

    _, err = rendered(partly, output_format)

    assert err == "warning: line 3: no email\nhint: fix it\n"


def test_json_has_what_went_wrong_in_the_envelope_alone() -> None:
    refused = Presentation(problems=[Problem("refused", "no")], exit_code=ExitCode.REFUSED)

    out, err = rendered(refused, "json")

    assert json.loads(out)["errors"] == [{"code": "refused", "message": "no", "hint": ""}]
    assert err == ""


def test_what_was_left_aside_is_a_warning_even_beside_an_error() -> None:
    problems = [Problem(REJECT, "line 3: no email"), Problem("over-limit", "over the limits")]

    _, err = rendered(Presentation(problems=problems, exit_code=ExitCode.REFUSED), "table")

    assert err == "warning: line 3: no email\nerror: over the limits\n"


def test_notes_are_on_stderr_without_escape_sequences() -> None:
    _, err = rendered(Presentation(notes=["see \x1b[2J"]), "json")

    assert err == "note: see \\x1b[2J\n"
