"""`contactctl deactivate` by a person who types the count; and that no means no."""

import io
from pathlib import Path

import pytest

from contactctl.cli import confirmation as prompts
from contactctl.domain.errors import InterruptedByUserError
from contactctl.domain.runs import RunState
from contactctl.output.console import Console
from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.plans import active_ids, plan_items, states
from helpers.store_cli import DEACTIVATE_TEN, StoreCli, require_unchanged, seeded_cli


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 100)


@pytest.mark.parametrize("answer", ["10", " 10 "])
def test_typing_the_count_deactivates(cli: StoreCli, answer: str) -> None:
    result = cli(*DEACTIVATE_TEN, tty=True, stdin=f"{answer}\n")

    assert result.exit_code == 0
    assert "Type the number of contacts to deactivate them:" in result.stderr
    assert "100 -> 90" in result.stdout
    assert active_ids(cli.store) == set(range(11, 101))
    assert (states(cli.store), plan_items(cli.store)) == ([RunState.DONE], 0)


@pytest.mark.both_databases
def test_what_is_shown_before_the_question(cli: StoreCli) -> None:
    cli.configure("billing: {currency: EUR, tiers: [{up_to: 90, price: 29}, {price: 99}]}\n")
    shown = cli(
        "deactivate", "--where", "last_opportunity before 2024-01-01", tty=True, stdin="no\n"
    ).stderr
    before_question = shown[: shown.index("Type 'deactivate ")]

    assert cli.store.identity in " ".join(before_question.split())  # long ones are wrapped
    for text in (
        "last_opportunity before 2024-01-01",
        "of 100 (",
        "Left out",
        "15 without last_opportunity",
        "@mail",
        "Active",
        "EUR 99 (open-ended tier) -> EUR 29 (up to 90)",
        "Group newsletter",
    ):
        assert text in before_question


def test_any_other_answer_changes_nothing_and_leaves_no_plan(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))
    answers = ["y\n", "yes\n", "\n", "9\n", "11\n", "deactivate\n", "", "1"]
    for number, answer in enumerate(answers, start=1):
        result = cli(*DEACTIVATE_TEN, tty=True, stdin=answer)

        assert result.exit_code == 4, answer
        assert "nothing was changed" in result.stderr, answer
        require_unchanged(cli, before, runs=[RunState.CANCELLED] * number)


def test_over_a_limit_a_person_types_the_whole_phrase(cli: StoreCli) -> None:
    before = dump(cli.store, without=("run",))
    command = ("deactivate", "--where", "id <= 26")

    for answer in ("26\n", "deactivate 26\n", "deactivate 25 of 100\n", "DEACTIVATE 26 of 100\n"):
        assert cli(*command, tty=True, stdin=answer).exit_code == 4
    require_unchanged(cli, before, runs=[RunState.CANCELLED] * 4)

    result = cli(*command, tty=True, stdin="deactivate 26 of 100\n")
    assert result.exit_code == 0
    assert "26 of 100 active contacts is over the limit of 25 %" in result.stderr
    assert len(active_ids(cli.store)) == 74


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), InterruptedByUserError("ended by SIGHUP")]
)
def test_interrupted_at_the_question_nothing_changes_and_no_plan_stays(
    cli: StoreCli, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    before = dump(cli.store, without=("run",))

    def interrupted(console: Console, question: str) -> str:
        assert plan_items(cli.store) == 10  # the plan stands while it is asked
        raise interruption

    monkeypatch.setattr(prompts, "_answer", interrupted)
    assert cli(*DEACTIVATE_TEN, tty=True).exit_code == 130
    require_unchanged(cli, before, runs=[RunState.CANCELLED])


def test_a_terminal_that_cannot_be_read_changes_nothing(
    cli: StoreCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(cli.store, without=("run",))

    def unreadable(self: io.StringIO) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(prompts, "_answer", lambda console, question: unreadable(console.stdin))
    assert cli(*DEACTIVATE_TEN, tty=True).exit_code == 1
    require_unchanged(cli, before, runs=[RunState.CANCELLED])


def test_at_a_terminal_nothing_matched_asks_nothing(cli: StoreCli) -> None:
    result = cli("deactivate", "--where", "id > 100", tty=True)

    assert result.exit_code == 0
    assert "No active contact matches; nothing was changed." in result.stdout
    assert "Type" not in result.stderr
    assert states(cli.store) == []


def test_json_at_a_terminal_is_alone_on_stdout(cli: StoreCli) -> None:
    result = cli(*DEACTIVATE_TEN, "--json", tty=True, stdin="10\n")

    assert result.json["data"]["deactivated"] == 10
    assert "Type the number of contacts" in result.stderr


def test_hostile_names_never_reach_the_terminal_raw(cli: StoreCli) -> None:
    from helpers.contacts import add_contact

    with cli.store.writing() as connection:
        add_contact(
            connection,
            "evil@example.com",
            first_name="\x1b[2J[bold]Rich[/bold]",
            last_name="\u202eevil",
        )
    result = cli("deactivate", "--where", "email = evil@example.com", tty=True, stdin="no\n")

    assert "evil@example.com" in result.stderr
    assert "\x1b" not in result.stderr + result.stdout
    assert "\u202e" not in result.stderr
    assert "[bold]Rich" in result.stderr
