"""`--emails FILE` in every command that takes criteria."""

from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.store_cli import StoreCli, seeded_cli

ANN = "chloe.ekstrom.198@mail4.example.com"
UNKNOWN = [f"unknown{number}@example.org" for number in range(12)]


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    (tmp_path / "list.txt").write_text("\n".join([ANN, *UNKNOWN]))
    (tmp_path / "known.txt").write_text(f"{ANN}\n")
    return seeded_cli(store, store_url, tmp_path, 200)


def test_a_preview_says_who_is_not_known(cli: StoreCli) -> None:
    data = cli.json("preview", "--emails", "list.txt", exit_code=5)
    assert data["count"] == 1
    assert data["emails"] == {
        "file": "list.txt",
        "addresses": 13,
        "unknown": 12,
        "unreadable": 0,
    }
    shown = cli("preview", "--emails", "list.txt")
    assert "email is one of the 13 in list.txt (12 of them unknown)" in shown.stdout
    assert "unknown9@example.org" in shown.stderr
    assert "unknown10@example.org" not in shown.stderr
    assert "2 more rejected" in shown.stderr


def test_all_who_are_not_known_go_to_a_file(cli: StoreCli) -> None:
    result = cli("contacts", "list", "--emails", "list.txt", "--rejects", "unknown.csv", "--json")
    assert result.exit_code == 5
    assert [row["email"] for row in result.json["data"]["contacts"]] == [ANN]
    assert len((cli.folder / "unknown.csv").read_text().splitlines()) == 13


@pytest.mark.both_databases
def test_without_anybody_unknown_the_exit_code_is_0(cli: StoreCli) -> None:
    assert cli.json("preview", "--emails", "known.txt")["count"] == 1
    assert cli.json("contacts", "export", "--emails", "known.txt")["contacts"][0]["email"] == ANN


@pytest.mark.both_databases
def test_changes_by_a_list_need_its_count(cli: StoreCli) -> None:
    cli("groups", "create", "letters")
    cli("groups", "add", "letters", ANN)
    left = cli.json(
        *("groups", "remove", "letters", "--emails", "known.txt"),
        *("--confirm", "1", "--limit-override", "1"),
    )
    assert left["changed"] == 1
    done = cli.json("deactivate", "--emails", "-", "--confirm", "1", stdin=f"{ANN}\n")
    assert done["deactivated"] == 1
    deleted = cli.json("contacts", "delete", "--emails", "known.txt", "--confirm", "1")
    assert deleted["planned"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--emails", "-", "--criteria", "-"), "cannot both read standard input"),
        (("--rejects", "r.csv"), "--rejects needs --emails"),
        (("--emails", "none.txt"), "cannot read"),
        (("--emails", "list.txt", "--rejects", "list.txt"), "which is an input"),
    ],
)
def test_options_that_do_not_go_together(
    cli: StoreCli, options: tuple[str, ...], message: str
) -> None:
    errors = cli.errors("preview", *options, exit_code=2)
    assert message in errors[0]["message"]
