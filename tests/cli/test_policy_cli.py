"""`policy`, and what init, db upgrade, config show and status say of it."""

import itertools
from pathlib import Path

import pexpect
import pytest
from sqlalchemy import text

from contactctl.store.database.migrate import upgrade
from contactctl.store.database.sqlite import create_sqlite_file
from contactctl.store.database.store import Store, connect
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.processes import KILLED, Death, exit_code_of, start_cli
from helpers.store_cli import StoreCli
from helpers.warm_python import warm_python

POLICY = "limits: {max_contacts: 50}\nthresholds: {transient: {count: 3, within: 30 days}}\n"
CLOCK = {"allow_replaced_clock": "true"}  # what the environment of run_cli says


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return StoreCli(store, store_url, tmp_path)


def in_force(cli: StoreCli) -> StoreCli:
    cli.json("policy", "apply", "policy.yaml", "--confirm", "2", "--reason", "agreed")
    return cli


def test_a_store_without_a_policy_says_so(cli: StoreCli) -> None:
    (error,) = cli.errors("policy", "show", exit_code=1)
    assert "no policy" in error["message"]
    assert cli.json("status")["policy"] is None
    assert "none, each config decides" in cli("status").stdout
    assert "none, each config decides" in cli("db", "check").stdout


@pytest.mark.both_databases
def test_applied_shown_and_exported(cli: StoreCli) -> None:
    in_force(cli)
    shown = cli.json("policy", "show")
    assert (shown["policy"], shown["run"]) == (1, 1)
    assert shown["settings"]["limits"] == {"max_contacts": 50}
    run = cli.json("runs", "show", 1)
    assert (run["kind"], run["state"], run["reason"]) == ("policy", "done", "agreed")
    assert cli.json("status")["policy"] == 1

    (cli.folder / "again.yaml").write_text(cli("policy", "export").stdout)
    same = cli.json("policy", "diff", "again.yaml")
    assert same["changes"] == 0 or same["changes"] == []


def test_diff_changes_nothing_and_exits_with_1(cli: StoreCli) -> None:
    in_force(cli)
    (cli.folder / "policy.yaml").write_text(POLICY.replace("50", "60"))
    before = dump(cli.store)
    shown = cli("policy", "diff", "policy.yaml")
    assert shown.exit_code == 1
    assert "limits.max_contacts  50        60" in shown.stdout
    assert cli("policy", "apply", "policy.yaml", "--dry-run").exit_code == 0
    assert dump(cli.store) == before


def test_a_file_that_sets_nothing_is_no_policy(cli: StoreCli) -> None:
    for content in ("", "# the export failed\n", "database: sqlite:///other.db\n"):
        (cli.folder / "empty.yaml").write_text(content)
        for command in ("diff", "apply"):
            (error,) = cli.errors("policy", command, "empty.yaml", exit_code=2)
            assert "sets nothing" in error["message"]


def test_without_the_number_of_changes_nothing_happens(cli: StoreCli) -> None:
    before = dump(cli.store)
    for confirm in [("--confirm", "3"), ("--confirm", "two"), ()]:
        assert cli("policy", "apply", "policy.yaml", *confirm).exit_code == 4, confirm
        assert dump(cli.store) == before, confirm


@pytest.mark.parametrize("content", ["limits: {max_contacts: many}\n", "limit: {}\n", "a: [\n"])
def test_a_file_that_cannot_be_used_names_file_and_line(cli: StoreCli, content: str) -> None:
    (cli.folder / "policy.yaml").write_text(content)
    (error,) = cli.errors("policy", "apply", "policy.yaml", "--confirm", "1", exit_code=2)
    assert "policy.yaml:" in error["message"]
    assert cli("policy", "apply", "none.yaml", "--confirm", "1").exit_code == 2


@pytest.mark.both_databases
def test_a_config_is_bound_and_told_so(cli: StoreCli) -> None:
    seed_contacts(cli.store, 300)
    in_force(cli)
    cli.configure("limits: {max_contacts: 100000, max_percent: 90}\nallow_undo: true\n")
    many = ("deactivate", "--where", "id <= 60", "--confirm", "60")
    refused = cli(*many)
    assert refused.exit_code == 4
    assert "over the limit of 50 contacts" in refused.stderr
    assert "not used, since the store's policy decides: " in refused.stderr
    assert "limits.max_contacts (contactctl.yaml:1)" in refused.stderr

    cli.configure("limits: {max_contacts: 5}\n")
    rows = {row["key"]: row for row in cli.json("config", "show")["settings"]}
    assert rows["limits.max_contacts"]["value"] == "5"
    assert rows["limits.max_contacts"]["origin"].endswith(", stricter than policy 1")
    assert rows["thresholds.transient"]["origin"] == "policy 1"
    assert "stricter here than the store's policy: limits.max_contacts" in cli("status").stderr
    run = cli.json("deactivate", "--where", "id <= 6", "--confirm", "6", "--limit-override", "6")
    assert run["terms"]["max_contacts"] == 5
    assert (run["terms"]["policy"], run["limit_override"]) == (1, 6)
    assert "confirmed beyond that: 6" in cli("runs", "show", run["run"]).stdout


def test_config_show_works_without_a_store(cli: StoreCli, tmp_path: Path) -> None:
    none = StoreCli(cli.store, f"sqlite:///{tmp_path}/none.db", tmp_path)
    shown = none("config", "show", "--json")
    assert shown.exit_code == 0
    assert "without the store's policy: no store at" in shown.stderr


def test_init_puts_the_config_in_force_once(tmp_path: Path) -> None:
    new = StoreCli(None, f"sqlite:///{tmp_path}/new.db", tmp_path)  # type: ignore[arg-type]
    new.configure("allow_undo: true\n")
    assert new.json("init")["policy"] == 1
    new.configure("allow_undo: false\ntime_zone: Asia/Tokyo\n")
    assert new.json("init")["policy"] is None
    assert new.json("policy", "show")["settings"] | CLOCK == {"allow_undo": True} | CLOCK


def test_an_old_store_takes_the_policy_over_at_its_upgrade(tmp_path: Path) -> None:
    create_sqlite_file(tmp_path / "old.db")
    url = f"sqlite:///{tmp_path}/old.db"
    store = connect(url)
    upgrade(store, "0005")
    old = StoreCli(store, url, tmp_path)
    old.configure("limits: {max_contacts: 7}\nverp: 'b+{local}={domain}@x.no'\n")

    shown = old("db", "upgrade", "--dry-run")
    assert "limits.max_contacts" in shown.stdout
    assert "verp" not in shown.stdout
    with store.reading() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert version == "0005"
    done = old.json("db", "upgrade")
    assert (done["before"], done["policy"]) == ("0005", 1)
    found = old.json("policy", "show")["settings"]
    assert found | CLOCK == {"limits": {"max_contacts": 7}} | CLOCK
    assert old.json("db", "upgrade")["policy"] is None
    store.close()


@pytest.mark.parametrize(("typed", "exit_code"), [("2", 0), ("3", 4)])
def test_a_person_sees_the_changes_and_types_their_number(
    sqlite_url: str, tmp_path: Path, typed: str, exit_code: int
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    args = ["-m", "contactctl", "policy", "apply", "policy.yaml", "--database", sqlite_url]
    child = pexpect.spawn(warm_python(), args, cwd=tmp_path, encoding="utf-8", timeout=60)
    child.expect("limits.max_contacts")
    child.expect(r"Type the number of changes \(2\)")
    child.sendline(typed)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == exit_code


@pytest.mark.both_databases
def test_killed_at_any_commit_the_policy_is_in_force_whole_or_not_at_all(cli: StoreCli) -> None:
    file = str(cli.folder / "policy.yaml")
    command = ["policy", "apply", file, "--confirm", "2", "--database", cli.url]
    for number in itertools.count(1):
        moment = ("before a commit", "after a commit")[number % 2]
        code = exit_code_of(start_cli(command, death=Death(moment, number)))
        assert code in (0, KILLED)
        with cli.store.reading() as connection:
            policies = connection.execute(text("SELECT number, run_id FROM policy")).all()
            runs = connection.execute(text("SELECT id, state FROM run")).all()
        assert [row.number for row in policies] in ([], [1])
        assert [tuple(row) for row in runs] == [(row.run_id, "done") for row in policies]
        if policies:
            break
