"""`runs undo` on the command line: what it shows, its confirmations, and who may."""

from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.dumps import dump
from helpers.plans import active_ids, as_another_login
from helpers.store_cli import DEACTIVATE_TEN, StoreCli, seeded_cli

BILLING = "billing: {currency: USD, tiers: [{up_to: 95, price: 10}, {price: 20}]}\n"


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 100)


@pytest.fixture
def undoable(cli: StoreCli) -> StoreCli:
    """With run 1 done, ten contacts, in a store that allows undo."""
    cli.configure("allow_undo: true\n")
    cli.json(*DEACTIVATE_TEN, "--confirm", "10")
    return cli


def test_undo_with_the_count(undoable: StoreCli) -> None:
    data = undoable.json("runs", "undo", 1, "--confirm", "10", "--reason", "wrong list")

    assert (data["run"], data["kind"], data["state"], data["changed"]) == (2, "undo", "done", 10)
    assert (data["active_before"], data["active_after"]) == (90, 100)
    assert (data["deactivated"], data["reason"]) == (0, "wrong list")
    assert len(active_ids(undoable.store)) == 100


@pytest.mark.both_databases
def test_undo_as_a_plan_for_a_second_operator(undoable: StoreCli) -> None:
    undoable.configure("allow_undo: true\nplans: {approval: second-operator}\n")
    undoable.errors("runs", "undo", 1, "--plan", "--confirm", "10", exit_code=2)
    (refused,) = undoable.errors("runs", "undo", 1, "--confirm", "10", exit_code=4)
    assert "--plan" in refused["hint"]

    kept = undoable.json("runs", "undo", 1, "--plan")
    assert (kept["run"], kept["state"], kept["planned"]) == (2, "planned", 10)
    assert len(active_ids(undoable.store)) == 90
    as_another_login(undoable.store, 2)
    applied = undoable("runs", "apply", 2, "--confirm", "10", operator="boss@host")
    assert applied.exit_code == 0
    assert len(active_ids(undoable.store)) == 100


def test_undo_by_typing_the_count(undoable: StoreCli) -> None:
    before = dump(undoable.store, without=("run",))
    result = undoable("runs", "undo", 1, tty=True, stdin="9\n")
    assert result.exit_code == 4
    assert "10 of 100 (10.0 %) to reactivate" in result.stderr
    assert dump(undoable.store, without=("run",)) == before

    assert undoable("runs", "undo", 1, tty=True, stdin="10\n").exit_code == 0
    assert len(active_ids(undoable.store)) == 100


def test_undo_says_which_run_and_what_it_means(undoable: StoreCli) -> None:
    undoable.configure(f"allow_undo: true\n{BILLING}")
    ann = undoable.json("contacts", "show", 1)["email"]
    undoable.json("reactivate", ann, "--confirm", ann)
    before = dump(undoable.store)

    data = undoable.json("runs", "undo", 1, "--dry-run")
    dry = undoable("runs", "undo", 1, "--dry-run").stdout
    assert dump(undoable.store) == before
    kept = undoable("runs", "undo", 1, "--plan").stdout

    assert (data["undoes"], data["count"], data["touched_since"]) == (1, 9, 1)
    assert (data["impact"]["active_before"], data["impact"]["active_after"]) == (91, 100)
    assert data["impact"]["members_regained"] == {"newsletter": 5, "customers": 3, "partners": 1}
    for text in (dry, kept):
        assert "Undoes    run 1, deactivate, by tester@host" in text
        assert "Contacts  9 of 100 (9.0 %) to reactivate" in text
        assert "Left out  1 of its 10: changed since" in text
        assert "Active            91 -> 100" in text
        assert "USD 10 (up to 95) -> USD 20 (open-ended tier)" in text
        assert "Group newsletter  +5" in text


def test_a_dry_run_of_an_undo_goes_with_nothing_that_changes(undoable: StoreCli) -> None:
    for flags in (["--plan"], ["--confirm", "10"], ["--background"]):
        undoable.errors("runs", "undo", 1, "--dry-run", *flags, exit_code=2)


def test_a_run_and_its_undo_name_each_other(undoable: StoreCli) -> None:
    assert undoable.json("runs", "show", 1)["taken_back_by"] == []
    undoable.json("runs", "undo", 1, "--plan")
    assert undoable.json("runs", "show", 1)["taken_back_by"] == []
    undoable.json("runs", "apply", 2, "--confirm", "10")

    assert undoable.json("runs", "show", 1)["taken_back_by"] == [2]
    assert "Undone    by run 2" in undoable("runs", "show", 1).stdout
    assert "What      undoes run 1" in undoable("runs", "show", 2).stdout


def test_undo_that_is_not_confirmed_changes_nothing(undoable: StoreCli) -> None:
    before = dump(undoable.store)
    assert undoable("runs", "undo", 1).exit_code == 4
    assert undoable.errors("runs", "undo", 1, "--confirm", "9", exit_code=4)
    assert dump(undoable.store) == before


def test_undo_twice_is_refused(undoable: StoreCli) -> None:
    undoable.json("runs", "undo", 1, "--confirm", "10")

    for count, code in ((10, "wrong-count"), (0, "nothing-to-undo")):
        (error,) = undoable.errors("runs", "undo", 1, "--confirm", count, exit_code=4)
        assert error["code"] == code
    assert undoable("runs", "undo", 2, "--confirm", "10").exit_code == 4


def test_undo_is_off_unless_allowed(undoable: StoreCli) -> None:
    undoable.configure("{}\n")

    (error,) = undoable.errors("runs", "undo", 1, "--confirm", "10", exit_code=4)
    assert (error["code"], "`allow_undo: true` in the config" in error["hint"]) == (
        "undo-off",
        True,
    )
    assert len(active_ids(undoable.store)) == 90


def test_where_a_policy_decides_the_hint_leads_to_it(undoable: StoreCli, tmp_path: Path) -> None:
    clock = "allow_replaced_clock: true\n"
    for allowed, changes, exit_code in (("false", 2, 4), ("true", 1, 0)):
        (tmp_path / "policy.yaml").write_text(f"allow_undo: {allowed}\n{clock}")
        undoable.json("policy", "apply", "policy.yaml", "--confirm", changes)
        done = undoable("runs", "undo", 1, "--confirm", "10")
        assert done.exit_code == exit_code
        assert ("in the store's policy allows it" in done.stderr) == bool(exit_code)
    assert len(active_ids(undoable.store)) == 100
