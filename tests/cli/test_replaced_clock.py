"""CONTACTCTL_NOW is for rehearsals: a store in use by the real clock is not changed under it."""

from datetime import timedelta
from pathlib import Path

import pytest

from contactctl.store.database.store import Store
from helpers.contacts import add_contact, seed_contacts
from helpers.dumps import dump
from helpers.plans import active_ids, deactivated, plan
from helpers.sessions import NOW, make_session
from helpers.store_cli import StoreCli

NOT_ALLOWED = {"CONTACTCTL_ALLOW_REPLACED_CLOCK": "false"}
SOMETIME = {**NOT_ALLOWED, "CONTACTCTL_NOW": (NOW + timedelta(days=400)).isoformat()}
BEFORE = {**NOT_ALLOWED, "CONTACTCTL_NOW": (NOW - timedelta(hours=1)).isoformat()}


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    """A store in which the real clock has stamped a plan, a deactivation and ten contacts."""
    seed_contacts(store, 10)
    with store.writing() as connection:
        add_contact(connection, "ann@x.no")
    session = make_session(store)
    plan(session, "id <= 2")
    deactivated(session, "email = ann@x.no")
    cli = StoreCli(store, store_url, tmp_path)
    cli.configure("handling: {transient: {reactivate_after: 10 days}}\n")
    return cli


CHANGING = [
    ("runs", "apply", "1", "--confirm", "2"),
    ("runs", "cancel", "1"),
    ("deactivate", "--where", "id = 5", "--confirm", "1"),
    ("deactivate", "--where", "id = 5", "--plan"),
    ("reactivate", "ann@x.no", "--confirm", "ann@x.no"),
    ("contacts", "add", "bob@x.no"),
    ("contacts", "delete", "ann@x.no", "--confirm", "ann@x.no"),
    ("contacts", "import", "-"),
    ("groups", "create", "news"),
    ("suppressions", "add", "bob@x.no", "--confirm", "bob@x.no"),
]
AT_CLOCKS = [
    *((clock, command) for command in CHANGING for clock in (SOMETIME, BEFORE)),
    (SOMETIME, ("sweep", "runs", "--yes")),
]


def test_nothing_is_changed(cli: StoreCli) -> None:
    before = dump(cli.store)
    for clock, command in AT_CLOCKS:
        [error] = cli.errors(*command, exit_code=4, env=clock, stdin="email\nnew@x.no\n")

        assert (error["code"], "CONTACTCTL_NOW" in error["message"]) == ("replaced-clock", True), (
            command
        )
        assert "allow_replaced_clock: true" in error["hint"], command
        assert dump(cli.store) == before, command


def test_it_may_be_looked_at_and_rehearsed(cli: StoreCli) -> None:
    before = dump(cli.store)
    for command in (
        ("preview", "--where", "id <= 5"),
        ("deactivate", "--where", "id <= 5", "--dry-run"),
        ("sweep", "all", "--dry-run"),
        ("status",),
    ):
        assert cli(*command, env=SOMETIME).exit_code == 0
    assert dump(cli.store) == before


def test_the_config_allows_it(cli: StoreCli) -> None:
    allowed = {**SOMETIME, "CONTACTCTL_ALLOW_REPLACED_CLOCK": "true"}
    done = cli.json("deactivate", "--where", "id = 5", "--confirm", "1", env=allowed)
    assert done["changed"] == 1


def test_a_store_of_a_rehearsal_goes_by_the_replaced_clock(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    cli = StoreCli(store, store_url, tmp_path, {"env": SOMETIME})

    cli.json("contacts", "import", "-", stdin="email\nann@x.no\nbob@x.no\n")
    cli.json("deactivate", "--where", "email = ann@x.no", "--confirm", "1", "--limit-override", "1")

    assert len(active_ids(store)) == 1


@pytest.mark.parametrize(
    "stamp",
    [
        "UPDATE contact SET reactivated_at = '{}' WHERE id = 3",
        "UPDATE deactivation SET started_at = '{}'",
        "UPDATE run SET finished_at = '{}' WHERE id = 2",
        "UPDATE membership SET added = '{}' WHERE contact_id = 3",
    ],
)
@pytest.mark.both_databases
def test_db_check_finds_instants_to_come(cli: StoreCli, stamp: str) -> None:
    def broken() -> dict[str, int]:
        checks = cli("db", "check", "--json").json["data"]["checks"]
        return {row["check"]: row["broken"] for row in checks if row["broken"]}

    assert broken() == {}
    with cli.store.writing() as connection:
        connection.exec_driver_sql(stamp.format("2026-06-15 12:04:00.000000"))
    assert broken() == {}
    with cli.store.writing() as connection:
        connection.exec_driver_sql(stamp.format("2026-06-15 12:06:00.000000"))
    assert broken() == {"no instant is still to come": 1}
