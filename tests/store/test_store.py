"""Opening, creating and locking stores."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, insert, inspect, select, text
from sqlalchemy import table as sql_table
from sqlmodel import SQLModel

from contactctl.domain.errors import BusyError, StoreError
from contactctl.store import tables
from contactctl.store.database.locks import exclusive
from contactctl.store.database.migrate import create_store, upgrade
from contactctl.store.database.sqlite import create_sqlite_file
from contactctl.store.database.store import SCHEMA_VERSION, Store, connect, open_store
from contactctl.store.types import UtcInstant
from helpers import databases
from helpers.contacts import add_contact

AT = datetime(2026, 5, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def differences(store: Store) -> list[Any]:
    """What the store's schema lacks of the models, or has more.

    One index looks at a column on SQLite and at that column's expression on Postgres 18 (migration
    0024), which its own test holds.

    SQLAlchemy 2.0 reads no generated column of a table WITHOUT ROWID, and Alembic of its time
    takes two spellings of one for two: there only names of tables are compared.
    """
    with store.engine.connect() as connection:
        if version("sqlalchemy").startswith("2.0."):
            return sorted(
                set(SQLModel.metadata.tables) - set(inspect(connection).get_table_names())
            )
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _, name, *__: name != "contact_mentions_others"},
        )
        return compare_metadata(context, SQLModel.metadata)


def test_models_and_migrations_agree(store: Store) -> None:
    assert differences(store) == []


def test_schema_version_is_the_newest_migration() -> None:
    folder = Path(__file__).parents[2] / "contactctl" / "store" / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA_VERSION


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any schema."""
    if request.param == "sqlite":
        create_sqlite_file(tmp_path / "old.db")
        yield f"sqlite:///{tmp_path}/old.db"
        return
    server_url = request.getfixturevalue("postgres_server_url")
    url = databases.create_database(server_url, "template0")
    yield url
    databases.drop_database(server_url, url)


@pytest.mark.parametrize(
    "older",
    [
        *("0001", "0007", "0013"),
        *(
            pytest.param(each, marks=pytest.mark.torture)
            for each in ("0002", "0003", "0004", "0005", "0006", "0008")
        ),
    ],
)
def test_a_store_of_an_older_version_is_upgraded_with_what_it_holds(
    empty_url: str, older: str
) -> None:
    store = connect(empty_url)
    upgrade(store, older)
    with store.writing() as connection:
        add_contact(connection, "ann@x.no")
    with pytest.raises(StoreError, match=f"schema {older}") as caught:
        open_store(empty_url)
    assert "db upgrade" in caught.value.hint

    upgrade(store)
    store.close()
    upgraded = open_store(empty_url)
    with upgraded.reading() as connection:
        found = connection.execute(text("SELECT email FROM contact")).scalars().all()
    assert differences(upgraded) == []
    upgraded.close()
    assert found == ["ann@x.no"]


def test_upgrading_counts_the_responses_that_are_there_by_hour(empty_url: str) -> None:
    store = connect(empty_url)
    upgrade(store, "0004")
    last = AT
    with store.writing() as connection:
        ann = add_contact(connection, "ann@x.no")
        for number, at in enumerate((last.replace(minute=0, second=0, microsecond=0), last)):
            add_older_response(connection, "response", number, at, contact_id=ann, group_id=0)
        for number, values in enumerate(({"held": True}, {"counts": False}, {"channel": "sms"})):
            of_contact = {"contact_id": ann, "group_id": 0}
            add_older_response(connection, "response", 10 + number, last, **of_contact | values)
        for number, at in enumerate((last, last + timedelta(microseconds=1))):
            of_nobody = {"email_key": "x@nobody.example", "group_folded": ""}
            add_older_response(connection, "unmatched_response", number, at, **of_nobody)

    upgrade(store)
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(select(tables.response_rate))]
    store.close()
    hour = last.replace(minute=0, second=0, microsecond=0)
    alike = ("invalid-address", "x.no", "", "user-unknown")
    of_nobody = ("invalid-address", "nobody.example", "", "user-unknown")
    assert sorted(found, key=lambda row: (row[2], row[0])) == [
        (hour, *of_nobody, 1, 0, None),
        (hour + timedelta(hours=1), *of_nobody, 1, 0, None),
        (hour, *alike, 2, 0, None),
    ]


def test_upgrading_finds_the_responses_that_mention_somebody_else(empty_url: str) -> None:
    store = connect(empty_url)
    upgrade(store, "0019")
    said = {
        "of her alone": {"diagnostic": "550 <Ann@x.no>: no such user"},
        "of another": {"diagnostic": "550 <ann@x.no>: write to postmaster@x.no"},
        "of a longer one": {"diagnostic": "550 <mary.ann@x.no>"},
        "of another's": {"recipient": "bob@x.no"},
        "of a file": {"source": "/mail/bounces@x.no/new/1"},
        "of a link": {"diagnostic": "http://x.no/?bob%40x.no"},
    }
    with store.writing() as connection:
        ann = add_contact(connection, "ann@x.no")
        for number, values in enumerate(said.values()):
            row = {"recipient": "Ann@x.no", **values}
            of_contact = {"contact_id": ann, "group_id": 0}
            add_older_response(connection, "response", number, AT, **of_contact, **row)
            of_nobody = {"email_key": "ann@x.no", "group_folded": ""}
            add_older_response(connection, "unmatched_response", number, AT, **of_nobody, **row)

    upgrade(store)
    with store.reading() as connection:
        for table in (tables.response, tables.unmatched_response):
            kept = select(table.c.source_key).where(~table.c.mentions_others)
            assert connection.execute(kept).scalars().all() == ["0"]
    store.close()


def add_older_response(
    connection: Connection, table: str, key: int, at: datetime, **values: object
) -> None:
    """A response with the columns that its table had at first."""
    row = {
        "source_key": str(key),
        "category": "invalid-address",
        "counts": True,
        "not_counted": "",
        "status": "5.1.1",
        "diagnostic": "",
        "rule": "user-unknown",
        "recipient": "x",
        "channel": "email",
        "source": "",
        "run_id": 1,
        "occurred_at": at,
        "recorded_at": at,
    } | values
    columns = [column(name, UtcInstant() if name.endswith("_at") else None) for name in row]
    connection.execute(insert(sql_table(table, *columns)).values(row))


def test_missing_file_says_how_to_create_it_and_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at") as caught:
        open_store(f"sqlite:///{tmp_path}/none.db")
    assert "contactctl init" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "words"), [("0000", "db upgrade"), ("9999", "upgrade con")])
def test_other_schema_versions_are_refused(store: Store, version: str, words: str) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    with pytest.raises(StoreError) as caught:
        open_store(store.engine.url.render_as_string(hide_password=False))
    assert words in caught.value.hint


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("these are my notes, and they are no database at all" * 40)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{path}")


def test_a_database_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no store in"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_an_open_store_has_a_write_ahead_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/contacts.db"
    create_store(url).close()
    with closing(open_store(url)) as store, store.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_a_file_that_cannot_be_looked_for_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="File name too long"):
        open_store(f"sqlite:///{tmp_path}/{'x' * 300}.db")


def test_unreachable_postgres_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="postgresql"):
        open_store(f"postgresql://nobody@/nothing?host={tmp_path}")


def test_sqlite_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "contacts.db"
    previous = os.umask(0)
    try:
        create_store(f"sqlite:///{path}").close()
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_identity_has_no_password() -> None:
    store = connect("postgresql://app:s3cret@db.example:5433/crm")
    assert store.identity == "postgresql db.example:5433/crm"


def test_failed_write_leaves_nothing(store: Store) -> None:
    insert = text(
        "INSERT INTO suppression (key_hash, created) VALUES ('k', '2026-01-01 00:00:00+00')"
    )
    with pytest.raises(RuntimeError), store.writing() as connection:
        connection.execute(insert)
        raise RuntimeError
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM suppression")).scalar() == 0


def test_exclusive_work_is_exclusive_per_kind(store: Store) -> None:
    other = connect(store.engine.url.render_as_string(hide_password=False))
    with exclusive(store, "apply"):
        with pytest.raises(BusyError), exclusive(other, "apply"):
            pass
        with pytest.raises(BusyError), exclusive(other, "apply", wait_seconds=0.05):
            pass
        with exclusive(other, "import"):
            pass
    with exclusive(other, "apply"):
        pass
    other.close()


def test_lock_is_free_again_after_an_error(store: Store) -> None:
    with pytest.raises(RuntimeError), exclusive(store, "apply"):
        raise RuntimeError
    with exclusive(store, "apply"):
        pass


def test_reading_on_postgres_cannot_write(store: Store) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite reads and writes through one kind of transaction")
    with pytest.raises(StoreError), store.reading() as connection:
        connection.execute(text("DELETE FROM run"))


def test_a_lock_lost_with_its_connection_hides_no_error(postgres_url: str) -> None:
    lost = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    with closing(connect(postgres_url)) as store, closing(connect(postgres_url)) as other:
        with pytest.raises(RuntimeError, match="of the work"), exclusive(store, "apply"):
            with other.writing() as connection:
                assert connection.execute(lost).scalar_one()
            raise RuntimeError("of the work")
        with exclusive(store, "apply"):
            pass


def _shown(store: Store, *names: str) -> list[str]:
    with store.reading() as connection:
        return [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]


def _parameter(store: Store, name: str) -> str | None:
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        parameters: dict[str, str] = driver.info.get_parameters()
        return parameters.get(name)


def test_what_a_postgres_url_asks_for_is_heeded(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (
        "options=-csearch_path%3Dmarketing%20-ctimezone%3DEurope/Oslo"
        "&application_name=nightly&connect_timeout=3&sslmode=allow"
    )
    mark = "&" if "?" in postgres_url else "?"
    with closing(connect(f"{postgres_url}{mark}{asked}")) as store:
        settings = _shown(store, "search_path", "timezone", "application_name")
        assert settings == ["marketing", "UTC", "nightly"]
        assert _parameter(store, "connect_timeout") == "3"
        assert _parameter(store, "sslmode") == "allow"

    with closing(connect(postgres_url)) as store:
        assert _shown(store, "timezone", "application_name") == ["UTC", "contactctl"]
        assert _parameter(store, "connect_timeout") == "10"

    monkeypatch.setenv("PGOPTIONS", "-csearch_path=marketing")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    with closing(connect(postgres_url)) as store:
        assert _shown(store, "search_path", "timezone") == ["marketing", "UTC"]
        assert _parameter(store, "connect_timeout") == "4"
