"""Waits that end: locks of others on either database, poolers, sessions of another time zone."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import exc, text

from contactctl.domain.errors import CANCELLED, BusyError, StoreError
from contactctl.domain.run_kinds import DeactivateRun
from contactctl.domain.runs import RunState
from contactctl.domain.waits import Waits
from contactctl.store.database.errors import translated_errors
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive, serialise
from contactctl.store.database.postgres import BoundedConnection
from contactctl.store.database.store import Store, connect, open_store
from contactctl.store.run_steps import apply_batch
from contactctl.store.runs import insert_run
from contactctl.store.temporary import fill, temporary_tables
from helpers.cli import run_cli
from helpers.contacts import add_contact, seed_contacts
from helpers.databases import replace_database
from helpers.kept_connections import let_go
from helpers.plans import started
from helpers.sessions import NOW, make_session

SHORT = Waits(locks_s=1)


@contextmanager
def stopped_import(url: str) -> Iterator[None]:
    """Another process in the middle of a transaction that changes contacts; it does not go on."""
    with closing(open_store(url)) as other, other.writing() as connection:
        serialise(connection)
        add_contact(connection, "half@example.com")
        yield


def test_who_is_kept_waiting_by_a_stopped_process_gives_up(store_url: str) -> None:
    with closing(open_store(store_url, SHORT)) as store:
        with (
            stopped_import(store_url),
            pytest.raises(BusyError) as caught,
            store.writing() as connection,
        ):
            serialise(connection)
        assert "runs list" in caught.value.hint

        with store.writing() as connection:
            serialise(connection)


def test_a_batch_waits_no_longer_for_its_turn(postgres_url: str) -> None:
    with closing(open_store(postgres_url, SHORT)) as store:
        seed_contacts(store, 5)
        run = started(make_session(store), "id <= 2")
        with stopped_import(postgres_url), pytest.raises(BusyError):
            apply_batch(store, run, 100, NOW)
        after = apply_batch(store, run, 100, NOW)
        assert after is not None
        assert after.changed == 2


def test_another_program_that_holds_a_sqlite_file_is_waited_for_so_long(sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    with (
        closing(open_store(sqlite_url, SHORT)) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="locked"), store.writing():
            pass
        other.execute("COMMIT")
        with store.writing():
            pass


def test_no_lock_outlives_its_transaction(postgres_url: str) -> None:
    """As behind a pooler, which gives the session to somebody else after each."""
    locks = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    sessions_alone = text(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND a.xact_start IS NULL"
    )
    with closing(open_store(postgres_url)) as store, closing(open_store(postgres_url)) as other:
        seed_contacts(store, 5)
        run = started(make_session(store), "id <= 2")
        with exclusive(store, CONTACT_CHANGES):
            with other.reading() as connection:
                assert connection.execute(locks).scalar_one() == 1
                assert connection.execute(sessions_alone).scalar_one() == 0
            apply_batch(store, run, 100, NOW)
        with other.reading() as connection:
            assert connection.execute(locks).scalar_one() == 0


def test_the_lock_is_not_lost_to_a_limit_of_idleness(postgres_url: str) -> None:
    mark = "&" if "?" in postgres_url else "?"
    limited = f"{postgres_url}{mark}options=-cidle_in_transaction_session_timeout%3D50ms"
    with (
        closing(open_store(limited)) as store,
        closing(open_store(postgres_url)) as other,
        exclusive(store, "work"),
    ):
        with other.reading() as connection:
            connection.execute(text("SELECT pg_sleep(0.3)"))
        with pytest.raises(BusyError), exclusive(other, "work"):
            pass


def setting(url: str, **values: str) -> str:
    options = "%20".join(f"-c{name}%3D{value}" for name, value in values.items())
    return f"{url}{'&' if '?' in url else '?'}options={options}"


def test_a_statement_that_the_server_ends_is_a_matter_of_the_store(postgres_url: str) -> None:
    with (
        closing(open_store(setting(postgres_url, statement_timeout="100ms"))) as store,
        pytest.raises(StoreError) as caught,
        store.reading() as connection,
    ):
        connection.execute(text("SELECT pg_sleep(60)"))
    assert caught.value.code == CANCELLED
    assert "statement_timeout" in caught.value.hint


def test_a_role_that_may_only_read_is_taken_at_its_word(postgres_url: str) -> None:
    with closing(open_store(setting(postgres_url, default_transaction_read_only="on"))) as store:
        for _ in range(2):  # what reading leaves behind must not make the next one writable
            with store.reading() as connection:
                connection.execute(text("SELECT 1"))
            with pytest.raises(StoreError) as caught, store.writing() as connection:
                add_contact(connection, "a@example.com")
            assert "default_transaction_read_only" in caught.value.hint


@pytest.fixture
def tokyo_url(postgres_url: str) -> Iterator[str]:
    """A database whose sessions are in Asia/Tokyo, and write dates and strings in their own way."""
    settings = {
        "timezone": "'Asia/Tokyo'",
        "datestyle": "'SQL, DMY'",
        "standard_conforming_strings": "off",
    }
    name = postgres_url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for setting, value in settings.items():
            admin.execute(f'ALTER DATABASE "{name}" SET {setting} = {value}'.encode())
        let_go()
        yield postgres_url
        for setting in settings:
            admin.execute(f'ALTER DATABASE "{name}" RESET {setting}'.encode())
    let_go()


def test_instants_are_the_same_wherever_the_server_is(tokyo_url: str) -> None:
    instant = text("SELECT at AT TIME ZONE 'UTC' = '2024-05-31 22:30:00' FROM staged")
    columns = {"staged": "id integer, at timestamp with time zone"}
    rows = [(1, "2024-05-31 22:30:00"), (2, None)]
    with closing(open_store(tokyo_url)) as store, store.writing() as connection:
        shown = connection.execute(text("SHOW timezone")).scalar_one()
        with temporary_tables(connection, columns):
            fill(connection, "staged", rows)
            known = connection.execute(instant).scalars().all()
            read = connection.execute(text("SELECT at, '\\' FROM staged ORDER BY id")).all()
            assert read[0] == (datetime(2024, 5, 31, 22, 30, tzinfo=UTC), "\\")
            connection.execute(text("DELETE FROM staged"))
            connection.execute(text("SET LOCAL timezone = 'Asia/Tokyo'"))
            fill(connection, "staged", rows)
            assert connection.execute(instant).scalars().all() == known == [True, None]
    assert shown == "UTC"


def test_a_session_that_keeps_its_own_time_zone_is_refused(
    tokyo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pooler leaves it that swallows SET."""
    monkeypatch.setattr("contactctl.store.database.postgres._IN_UTC", "SET LOCAL work_mem = '5MB'")
    with pytest.raises(StoreError, match="Asia/Tokyo") as caught:
        open_store(tokyo_url)
    assert caught.value.code == "time-zone"


def test_the_identity_is_what_the_connection_says(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        asked = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
        assert asked is not None
        expected = (
            f"postgresql {connection.info.host}:{connection.info.port}/{parts['dbname']}"
            f" (system {asked[0]})"
        )
    service = tmp_path / "services"
    service.write_text(f"[crm]\nhost={parts['host']}\nuser=postgres\ndbname={parts['dbname']}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    urls = [postgres_url, "postgresql://?service=crm"]
    monkeypatch.setenv("PGHOST", str(parts["host"]))
    monkeypatch.setenv("PGUSER", "postgres")
    urls.append(f"postgresql:///{parts['dbname']}")
    monkeypatch.setenv("PGDATABASE", str(parts["dbname"]))
    socket = quote(str(parts["host"]), safe="")
    urls += ["postgresql://", f"postgresql://postgres@{socket}/?options=-c+timezone=Asia/Tokyo"]
    urls.append(f"postgresql://no.invalid:1,{socket}/?connect_timeout=1")
    for url in urls:
        with closing(open_store(url)) as store:
            assert store.identity == expected


@pytest.mark.parametrize(
    ("url", "told", "hint"),
    [
        ("postgresql://[::1]:1/crm", "postgresql [::1]:1/crm: ", "that the server runs"),
        ("postgresql://h.invalid/crm", "postgresql h.invalid/crm: ", "the host's name"),
        ("postgresql://a.invalid,b.invalid:1/crm", "postgresql a.invalid,b.invalid:", "the host"),
        ("postgresql://?service=none", "postgresql service none: ", ".pg_service.conf"),
        ("postgresql://h/crm?pool_size=5", "postgresql: ", "that psql takes"),
        ("postgresql://me:s3cr%ZZet@h/crm", "percent-encoded token: ***", "as %25"),
        ("postgresql://127.0.0.1:1/crm?sslmode=banana", "sslmode value", "`psql URL`"),
    ],
)
def test_what_does_not_connect_is_named_with_a_way_out(url: str, told: str, hint: str) -> None:
    with pytest.raises(StoreError) as caught, closing(connect(url)) as store, store.reading():
        pass
    assert told in str(caught.value)
    assert hint in caught.value.hint
    assert "s3cr" not in str(caught.value)


def test_a_role_without_that_right_still_connects(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        admin.execute("CREATE ROLE cctl_plain LOGIN")
        try:
            plain = postgres_url.replace("postgres@", "cctl_plain@", 1)
            with closing(connect(plain)) as store, store.reading() as connection:
                assert connection.execute(text("SELECT 1")).scalar_one() == 1
                assert "system" not in store.identity
        finally:
            admin.execute("DROP ROLE cctl_plain")
            admin.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")


def test_the_next_connection_may_not_lead_elsewhere(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = psycopg.conninfo.conninfo_to_dict(replace_database(postgres_url, "postgres"))
    connect_as_told = BoundedConnection.connect

    def connect_elsewhere(**told: Any) -> Any:
        return connect_as_told(**told | elsewhere)

    with closing(open_store(postgres_url)) as store:
        store.engine.dispose()
        monkeypatch.setattr(BoundedConnection, "connect", connect_elsewhere)
        with pytest.raises(StoreError, match="another server"), store.reading():
            pass


def test_a_file_that_is_replaced_while_in_use_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    backup = tmp_path / "backup.db"
    backup.write_bytes(file.read_bytes())
    with closing(open_store(sqlite_url)) as store:
        with pytest.raises(StoreError) as caught, store.writing() as connection:
            add_contact(connection, "a@example.com")
            backup.replace(file)
        assert caught.value.code == "replaced"
        with pytest.raises(StoreError), store.reading():
            pass


def test_a_file_that_is_removed_while_in_use_is_noticed(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        Path(sqlite_url.removeprefix("sqlite:///")).unlink()
        with pytest.raises(StoreError, match="removed"), store.reading():
            pass


def test_a_store_on_a_read_only_mount_can_be_looked_at(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(sqlite_url)) as store, store.writing() as connection:
        add_contact(connection, "a@example.com")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(
        "contactctl.store.database.sqlite._is_on_read_only_mount", lambda _path: True
    )
    with closing(open_store(sqlite_url)) as store:
        with store.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM contact")).scalar_one() == 1
            assert sorted(tmp_path.iterdir()) == before
        with pytest.raises(StoreError, match="readonly"), store.writing() as connection:
            add_contact(connection, "b@example.com")


@pytest.fixture
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second is a long wait, and after three of them nobody waits."""
    for module in ("locks", "sqlite"):
        monkeypatch.setattr(f"contactctl.store.database.{module}.IS_LONG_S", 0.1)
    monkeypatch.setattr("contactctl.domain.waits._SHORTEST_LOCK_WAIT_S", 0.3)


def test_a_wait_inside_a_statement_is_told(postgres_url: str, short_is_long: None) -> None:
    told: list[str] = []
    waits = Waits(0.3, on_long_wait=lambda: told.append("waits"))
    with ExitStack() as stack:
        holder = stack.enter_context(closing(open_store(postgres_url)))
        serialise(stack.enter_context(holder.writing()))
        waiting = stack.enter_context(closing(open_store(postgres_url, waits)))
        with pytest.raises(BusyError), waiting.writing() as connection:
            serialise(connection)
    assert told == ["waits"]


@pytest.mark.parametrize("held", ["the work", "the file"])
def test_who_waits_for_long_is_told_once_for_whom(
    store: Store, store_url: str, held: str, short_is_long: None
) -> None:
    seed_contacts(store, 2)
    with store.writing() as connection:
        run = make_session(store).request(DeactivateRun())
        at_work = insert_run(connection, run, state=RunState.RUNNING, now=NOW)
    command = ["deactivate", "--where", "id = 1", "--confirm", 1, "--limit-override", 1]
    with ExitStack() as stack:
        if held == "the work":
            stack.enter_context(exclusive(store, CONTACT_CHANGES))
        elif store.dialect == "sqlite":
            stack.enter_context(store.writing())
        else:
            pytest.skip("Postgres locks no file")
        waited = run_cli([*command, "--wait", 0.3, "--database", store_url])

    assert waited.exit_code == 6
    said = f"note: waiting for run {at_work} (deactivate) by tester@host, since 12:00 UTC"
    assert waited.stderr.count(said) == 1


@pytest.mark.parametrize("full", ["the store's", "TMPDIR"])
@pytest.mark.parametrize("words", ["database or disk is full", "disk I/O error", "unable to open"])
def test_the_disk_that_is_full_is_named(
    full: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's words may mean either."""
    full_folder = tmp_path if full == "the store's" else tmp_path / "temporary"

    def statvfs(folder: Path) -> SimpleNamespace:
        free = 0 if folder == full_folder else 1 << 30
        return SimpleNamespace(f_bavail=free, f_frsize=1, f_files=0, f_favail=0)

    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("contactctl.store.database.errors.os.statvfs", statvfs)
    database = SimpleNamespace(identity="x", path=tmp_path / "contacts.db")
    with pytest.raises(StoreError) as caught, translated_errors(database):
        raise exc.OperationalError("", None, sqlite3.OperationalError(words))

    assert str(full_folder) in caught.value.hint
    assert ("the disk of" in caught.value.hint) == (full == "the store's")
