"""Whose an address is: found, claimed and let go of, on each database."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, exc, text

from contactctl.domain.emails import parse_email
from contactctl.store.addresses import (
    claim_staged,
    former_among,
    id_of_key,
    ids_of_keys,
    keep_address,
    numbered,
    release_keys,
    set_address,
)
from contactctl.store.database.checks import check_store
from contactctl.store.database.migrate import upgrade
from contactctl.store.database.sqlite import create_sqlite_file
from contactctl.store.database.store import Store, connect
from contactctl.store.temporary import fill, temporary_tables
from helpers import databases
from helpers.contacts import CREATED, add_contact

ODD_KEYS = (
    "o'brien@example.com",
    '"two words"@example.com',
    "a\\b@example.com",
    "100%_@example.com",
    "{x,y}@example.com",
    "straße@example.com",
    "ﬀ@example.com",
    "中文@xn--fiq228c.example",
    "😀@example.com",
    "a+b=c@example.com",
    "null@example.com",
    "x" * 240 + "@example.com",
)


def claim_keys(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """The numbers of the contacts that have these addresses from now on, as an import does it."""
    ids = numbered(connection, keys)
    columns = "contact_id bigint, email_key text PRIMARY KEY"
    with temporary_tables(connection, {"claimed": columns}):
        fill(connection, "claimed", [(number, key) for key, number in ids.items()])
        claim_staged(connection, "claimed", 0)
    return ids


def astray(store: Store) -> int:
    """How many addresses do not lead to their contact."""
    with store.reading() as connection:
        findings = check_store(connection, CREATED)
    (found,) = (each for each in findings if each.check == "every address leads to its contact")
    return found.broken


def test_numbers_grow_in_the_order_given_and_are_found_by_the_address(store: Store) -> None:
    with store.writing() as connection:
        old = add_contact(connection, "old@example.com")
        ids = claim_keys(connection, ODD_KEYS)
        assert list(ids) == list(ODD_KEYS)
        assert list(ids.values()) == sorted(ids.values())
        assert min(ids.values()) > old
        assert ids_of_keys(connection, [*ODD_KEYS, "nobody@example.com"]) == ids
        release_keys(connection, ODD_KEYS[:2])
        assert ids_of_keys(connection, ODD_KEYS).keys() == set(ODD_KEYS[2:])
        assert (ids_of_keys(connection, []), claim_keys(connection, [])) == ({}, {})


def test_the_number_of_a_deleted_contact_is_not_given_again(store: Store) -> None:
    with store.writing() as connection:
        add_contact(connection, "first@example.com")
        last = add_contact(connection, "last@example.com")
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": last})
        release_keys(connection, ["last@example.com"])
        assert claim_keys(connection, ["last@example.com"])["last@example.com"] > last


def test_an_address_has_one_contact(store: Store) -> None:
    with store.writing() as connection:
        add_contact(connection, "ann@example.com")
        bob = add_contact(connection, "bob@example.com")
    for taking in (
        lambda connection: claim_keys(connection, ["new@example.com", "ann@example.com"]),
        lambda connection: set_address(connection, bob, parse_email("Ann@example.com"), CREATED),
    ):
        with store.engine.connect() as connection:
            with pytest.raises(exc.DBAPIError):
                taking(connection)
            connection.rollback()
    assert astray(store) == 0


def test_of_two_sessions_that_claim_an_address_at_once_one_gets_it(postgres_url: str) -> None:
    first, second = connect(postgres_url), connect(postgres_url)
    failed: list[Exception] = []

    def claim() -> None:
        try:
            with second.engine.begin() as connection:
                claim_keys(connection, ["ann@example.com"])
        except exc.DBAPIError as error:
            failed.append(error)

    with first.engine.begin() as connection:
        ids = claim_keys(connection, ["ann@example.com"])
        waiting = threading.Thread(target=claim)
        waiting.start()
    waiting.join(30)
    with first.reading() as connection:
        assert ids_of_keys(connection, ["ann@example.com"]) == ids
    assert len(failed) == 1
    first.close()
    second.close()


def test_an_address_that_was_given_up_leads_to_the_last_that_had_it(store: Store) -> None:
    with store.writing() as connection:
        ids = [add_contact(connection, f"{name}@example.com") for name in ("ann", "bob")]
        shared = parse_email("shared@example.com")
        for change, contact in enumerate(ids, start=1):
            set_address(connection, contact, shared, CREATED)
            assert former_among(connection, [shared.key]) == {}
            keep_address(connection, contact, change, 1, CREATED)
            set_address(connection, contact, parse_email(f"{change}@example.com"), CREATED)
            assert id_of_key(connection, shared.key) is None
        assert former_among(connection, [shared.key]) == {shared.key: ids[1]}
    assert astray(store) == 0


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM contact_email WHERE contact_id = 2",
        "INSERT INTO contact_email VALUES ('nobody@example.com', 99)",
        "UPDATE contact_email SET contact_id = 3 - contact_id",
        "UPDATE contact SET email_key = 'other@example.com' WHERE id = 1",
    ],
)
def test_an_address_that_leads_astray_is_found(store: Store, damage: str) -> None:
    with store.writing() as connection:
        add_contact(connection, "ann@example.com")
        add_contact(connection, "bob@example.com")
        # an anonymised one has none
        connection.execute(
            text("UPDATE contact SET email_key = 'erased-9' WHERE id = :id"),
            {"id": add_contact(connection, "gone@example.com")},
        )
        release_keys(connection, ["gone@example.com"])
    assert astray(store) == 0
    with store.writing() as connection:
        connection.execute(text(damage))
    assert astray(store) > 0


@pytest.fixture(params=["sqlite", "postgres"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of the version before addresses had a table."""
    if request.param == "sqlite":
        create_sqlite_file(tmp_path / "old.db")
        url = f"sqlite:///{tmp_path}/old.db"
    else:
        server_url = request.getfixturevalue("postgres_server_url")
        url = databases.create_database(server_url, "template0")
    store = connect(url)
    upgrade(store, "0013")
    yield store
    store.close()
    if request.param == "postgres":
        databases.drop_database(server_url, url)


def test_an_upgrade_takes_every_address_over_and_nothing_away(older: Store) -> None:
    with older.writing() as connection:
        ids = {key: add_contact(connection, key, email_key=key) for key in ODD_KEYS}
        gone = add_contact(connection, "erased-7", email_key="erased-7", status="inactive")
        last = add_contact(connection, "last@example.com")
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": last})
        ann = next(iter(ids.values()))
        connection.execute(
            text("UPDATE contact SET last_opened = :at, first_name = 'Ann' WHERE id = :id"),
            {"at": "2026-01-02 03:04:05.000006", "id": ann},
        )
        for table, columns in (
            ("contact_tag (contact_id, tag_folded, tag)", "'vip', 'VIP'"),
            ("external_id (contact_id, source, external_id, run_id)", "'crm', '7', 1"),
            ("plan_item (contact_id, run_id, revision)", "1, 0"),
        ):
            connection.execute(text(f"INSERT INTO {table} SELECT {ann}, {columns}"))
        before = snapshot(connection)

    upgrade(older)

    with older.writing() as connection:
        after = snapshot(connection)
        # later versions have further columns, behind all others
        widths = {name: len(rows[0]) for name, rows in before.items()}
        assert {n: [row[: widths[n]] for row in rows] for n, rows in after.items()} == before
        assert ids_of_keys(connection, [*ODD_KEYS, "erased-7"]) == ids
        assert claim_keys(connection, ["new@example.com"])["new@example.com"] > last > gone
        # what belongs to a contact still goes with it
        connection.execute(text("DELETE FROM contact WHERE id = :id"), {"id": ann})
        assert connection.execute(text("SELECT count(*) FROM contact_tag")).scalar() == 0


def snapshot(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = ("contact", "contact_tag", "external_id", "plan_item")
    return {
        name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY 1"))]
        for name in tables
    }
