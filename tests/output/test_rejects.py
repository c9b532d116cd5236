"""What is rejected: counted, told, and kept in a file of its owner's alone."""

import csv
import json
import os
import stat
from io import StringIO
from pathlib import Path

import pytest

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Rejection
from contactctl.operations.importing.options import Reject
from contactctl.output.rejects import RejectLog, RejectsFile, ResponseRejects


@pytest.mark.parametrize(("number", "told"), [(0, 0), (1, 1), (5, 5), (6, 6), (1234, 6)])
def test_the_first_five_are_told_and_the_others_counted(number: int, told: int) -> None:
    with RejectsFile(None) as rejects:
        rejects.begin(["email"])
        for line in range(number):
            rejects.add(Reject(line, "no email", ("",)))

    problems = rejects.problems()

    assert (rejects.number, len(problems)) == (number, told)
    assert [each.message for each in problems[:2]] == ["line 0: no email", "line 1: no email"][
        :told
    ]
    assert all(each.hint == "" for each in problems[:-1])
    if problems:
        assert "--rejects FILE" in problems[-1].hint
    if number > 5:
        assert problems[-1].message == f"{number - 5:,} more rejected"


def test_who_keeps_them_needs_no_hint(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        rejects.add(Reject(2, "no email"))

    assert [(each.message, each.hint) for each in rejects.problems()] == [("line 2: no email", "")]


def test_rows_are_kept_defused_once_under_the_names_of_their_cells(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("line,reason,email\n" + "2,of the last import,bad\n" * 100)
    with RejectsFile(path) as rejects:
        rejects.begin(["email", "first_name"])
        rejects.add(Reject(2, "no email", ("bad", "=1")))
        rejects.add(Reject(3, "no email", ("worse", "'=1")))

    assert list(csv.reader(StringIO(path.read_text()))) == [
        ["line", "reason", "email", "first_name"],
        ["2", "no email", "bad", "'=1"],
        ["3", "no email", "worse", "'=1"],
    ]


def test_mails_are_kept_as_they_were_read_also_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with ResponseRejects(path) as rejects:
        rejects.add(Rejection("a.eml", "no mail", "på\n".encode()))
        rejects.add(Rejection("b.eml", "no mail", b"\xff\x00"))

    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"source": "a.eml", "reason": "no mail", "raw": "på\n"},
        {"source": "b.eml", "reason": "no mail", "raw_base64": "/wA="},
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert rejects.first == ["a.eml: no mail", "b.eml: no mail"]


@pytest.mark.parametrize("kind", [RejectsFile, ResponseRejects])
def test_nothing_but_earlier_rejects_is_written_over(tmp_path: Path, kind: type[RejectLog]) -> None:
    path = tmp_path / "contacts.db"
    path.write_bytes(b"SQLite format 3\0")
    link = tmp_path / "link"
    link.symlink_to(path)
    for named in (path, link):
        with pytest.raises(InputError, match=r"would overwrite .*, which contains"):
            kind(named)
    assert path.read_bytes() == b"SQLite format 3\0"


def test_rejects_that_are_imported_again_are_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectsFile(path) as rejects:
        rejects.begin(["email"])
    kept = path.read_text()
    with pytest.raises(InputError, match=r"would overwrite .*, which is an input"):
        RejectsFile(path, [tmp_path / "none.csv", tmp_path / "." / "rejects.csv"])
    assert path.read_text() == kept


def test_an_empty_file_and_the_null_device_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", Path(os.devnull)):
        with RejectsFile(path) as rejects:
            rejects.begin(["email"])
    assert (tmp_path / "empty").read_text() == "line,reason,email\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*/missing/rejects: No such file"):
        ResponseRejects(tmp_path / "missing" / "rejects")
