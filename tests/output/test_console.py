import os
import pwd
from datetime import UTC, datetime

import pytest

from contactctl.domain.errors import UsageError
from contactctl.output.console import Console, parse_instant
from helpers.consoles import memory_console


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
        ("2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "12"])
def test_no_other_text_is_taken_for_an_instant(text: str) -> None:
    with pytest.raises(UsageError, match="not an ISO 8601 instant"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "1969-12-31", "9999-12-31"])
def test_a_year_from_which_no_span_can_be_counted_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="too far away") as caught:
        parse_instant(text)
    assert caught.value.hint == "give a year from 1970 to 2999"


def test_a_replaced_clock_stands_still_and_is_said_once() -> None:
    console = memory_console(env={"CONTACTCTL_NOW": "2026-01-31T08:00:00Z"})

    assert console.now_is_replaced
    assert console.now() == console.now() == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert console.stderr.getvalue() == (
        "note: the clock is replaced by CONTACTCTL_NOW: 2026-01-31T08:00:00+00:00\n"
    )


def test_the_clock_is_otherwise_the_machines() -> None:
    before = datetime.now(UTC)
    console = memory_console(env={})

    assert before <= console.now() <= datetime.now(UTC)
    assert not console.now_is_replaced
    assert console.stderr.getvalue() == ""


def test_quiet_silences_notes() -> None:
    console = memory_console(quiet=True)

    console.note("something")

    assert console.stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_follows_the_environment(env: dict[str, str], coloured: bool) -> None:
    assert memory_console(tty=True, env=env).colours_stdout is coloured
    assert memory_console(tty=False, env=env).colours_stdout is False


def test_a_person_can_be_asked_only_where_both_ends_are_terminals() -> None:
    console = memory_console(tty=True)
    assert console.can_prompt
    console.stdin_is_tty = False
    assert not console.can_prompt


def test_the_operator_is_not_who_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("LOGNAME", "mallory")

    operator = Console.of_process().operator

    assert operator == f"{pwd.getpwuid(os.getuid()).pw_name}@{os.uname().nodename}"
