"""`db copy` and `db backup`: the whole store, on another database or in a file."""

import errno
import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from contactctl.domain.errors import ContactctlError
from contactctl.operations.copies import copy_store
from contactctl.store.database import copies as copying
from contactctl.store.database.store import Store, connect, open_store
from helpers import databases
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import Dump, dump, dump_url
from helpers.imports import import_text
from helpers.processes import KILLED, Death, exit_code_of, start_cli
from helpers.sessions import make_session
from helpers.thorough import IS_THOROUGH, moments

CONTACTS = 300
# where no pair of databases differs from another, one way and the other are enough
ACROSS = pytest.mark.parametrize(
    ("store_url", "target"), [("sqlite", "postgres"), ("postgres", "sqlite")], indirect=True
)
COMPLAINT = """{"email": "%s", "category": "spam-complaint", "time": "2026-06-01T10:00:00+09:00",
 "diagnostic": "Ünïcode, \\"quotes\\" and \\u2028"}"""


@pytest.fixture
def source(store_url: str) -> str:
    """A store in which something has happened: every table has rows but for the suppressions."""
    store = open_store(store_url)
    seed_contacts(store, CONTACTS)
    with store.writing() as connection:
        connection.execute(
            text("UPDATE contact SET attributes = :a WHERE id = 7"),
            {"a": '{"orders": 1e3, "price": 0.1, "name": "Ærø \\u0001", "vip": true}'},
        )
        email = connection.execute(text("SELECT email FROM contact WHERE id = 9")).scalar_one()
    store.close()
    for args in (
        ["deactivate", "--where", "id between 20 and 60", "--confirm", "41"],
        ["deactivate", "--where", "id between 100 and 120", "--plan"],
        ["groups", "remove", "newsletter", "--where", "id <= 10", "--confirm", "5"],
    ):
        assert run(store_url, *args).exit_code == 0
    for address in (email, "nobody@example.org"):
        ingested = run(store_url, "responses", "ingest", "-", stdin=COMPLAINT % address)
        assert ingested.exit_code == 0
    # the highest number is gone: the copy must not give it again
    store = open_store(store_url)
    with store.writing() as connection:
        connection.execute(text(f"DELETE FROM contact_email WHERE contact_id = {CONTACTS}"))
        connection.execute(text(f"DELETE FROM contact WHERE id = {CONTACTS}"))
    store.close()
    return store_url


@pytest.fixture(params=["sqlite", "postgres"])
def target(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server_url: str
) -> Iterator[str]:
    """The URL of an empty database without our schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/copy.db"
        return
    url = databases.create_database(postgres_server_url, "template0")
    yield url
    databases.drop_database(postgres_server_url, url)


def run(url: str, *args: str, stdin: str = "") -> CliResult:
    return run_cli([*args, "--json"], env={"CONTACTCTL_DATABASE_URL": url}, stdin=stdin)


def contents(url: str) -> Dump:
    return {name: sorted(rows, key=repr) for name, rows in dump_url(url).items()}


def last_run_taken_from(found: Dump) -> tuple[str, Dump]:
    """The kind of the latest run, and everything but that one."""
    latest = max(found["run"], key=lambda row: row[0])
    return latest[1], {**found, "run": [row for row in found["run"] if row != latest]}


def test_the_copy_equals_its_source_and_can_be_worked_with(source: str, target: str) -> None:
    copied = run(source, "db", "copy", "--to", target)
    assert copied.exit_code == 0, copied.stderr
    assert {row["table"]: row["rows"] for row in copied.json["data"]["tables"]}["contact"] == 299
    assert copied.json["data"]["continued"] is False
    assert last_run_taken_from(contents(target)) == ("copy", contents(source))
    assert run(target, "db", "check").exit_code == 0
    added = run(target, "contacts", "add", "new@example.org")
    assert added.json["data"]["id"] == CONTACTS + 1
    done = run(target, "deactivate", "--where", "id = 5", "--confirm", "1").json["data"]
    old, new = ({row[0] for row in dump_url(url)["run"]} for url in (source, target))
    first = min(new - old)  # that of the copy; Postgres leaves gaps for what was rolled back
    assert first > max(old)
    assert new - old == {first, first + 1, first + 2}
    assert done["run"] == first + 2
    assert run(target, "runs", "apply", "2", "--confirm", "21").exit_code == 0


@ACROSS
@pytest.mark.sampled
def test_killed_at_every_commit_it_goes_on_and_loses_nothing(source: str, target: str) -> None:
    before = contents(source)
    command = ["db", "copy", "--to", target, "--database", source]
    deaths = 0
    for number in moments(2, 3, sample=3):
        moment = ("before a commit", "after a commit")[number % 2]
        code = exit_code_of(start_cli(command, death=Death(moment, number)))
        deaths += code == KILLED
        status = run(target, "status")
        if status.exit_code == 0 and status.json["data"]["total"]:  # released, which comes last
            break
        assert code == KILLED
    assert deaths >= (3 if IS_THOROUGH else 2)
    assert last_run_taken_from(contents(target)) == ("copy", before)
    assert contents(source) == before


def interrupted_copy(store: Store, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that ends in the middle of the contacts."""
    monkeypatch.setattr(copying, "_PAGE_ROWS", 50)
    put, pages = copying._put, itertools.count(1)

    def fail(*args: object) -> None:
        if next(pages) == 4:
            raise KeyboardInterrupt
        put(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(copying, "_put", fail)
        copy_store(make_session(store), target)
    half = connect(target)
    with half.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM contact")).scalar_one() == 150
    half.close()


@ACROSS
@pytest.mark.parametrize("changed_meanwhile", ["", "by a run", "by hand"])
def test_an_interrupted_copy_goes_on_unless_the_source_has_changed(
    store: Store, target: str, monkeypatch: pytest.MonkeyPatch, changed_meanwhile: str
) -> None:
    seed_contacts(store, CONTACTS)
    interrupted_copy(store, target, monkeypatch)
    if changed_meanwhile == "by a run":
        import_text(store, "email,company\ncontact3@example.org,New\n")
    elif changed_meanwhile:
        with store.writing() as connection:
            connection.execute(text("UPDATE contact SET company = 'New' WHERE id = 3"))
    copied = copy_store(make_session(store), target)
    assert copied.continued is not bool(changed_meanwhile)
    finished = open_store(target)
    assert last_run_taken_from(dump(finished)) == ("copy", dump(store))
    finished.close()


def test_only_an_empty_database_is_filled(source: str, tmp_path: Path) -> None:
    used = f"sqlite:///{tmp_path}/used.db"
    run(used, "init", "--config", str(tmp_path / "c.yaml"), "--database", used)
    assert run(used, "contacts", "add", "a@example.org").exit_code == 0
    before = contents(used)
    refused = run(source, "db", "copy", "--to", used)
    assert refused.exit_code == 3
    assert "is not empty: it has rows in run, change," in refused.json["errors"][0]["message"]
    assert contents(used) == before
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    assert run(source, "db", "copy", "--to", f"sqlite:///{foreign}").exit_code == 3
    assert run(source, "db", "copy", "--to", source).exit_code == 2
    assert run(source, "db", "copy", "--to", "mysql://host/db").exit_code == 2
    secret = run(source, "db", "copy", "--to", "postgresql://me:s3cret@host/db")
    assert secret.exit_code == 2
    assert "s3cret" not in secret.stdout + secret.stderr


def test_a_copy_that_differs_is_not_released(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_contacts(store, 100)
    put = copying._put

    def lose_one(connection: Any, table: Any, rows: Any) -> None:
        put(connection, table, rows[:-1] if table.name == "contact_tag" else rows)

    monkeypatch.setattr(copying, "_put", lose_one)
    target = f"sqlite:///{tmp_path}/copy.db"
    with pytest.raises(ContactctlError, match="differs from"):
        copy_store(make_session(store), target)
    assert run(target, "status").exit_code == 3


def test_a_backup_of_sqlite_is_a_store(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, 50)
    store.close()
    file = tmp_path / "50 % é.backup"
    made = run(sqlite_url, "db", "backup", str(file))
    assert (made.exit_code, made.json["data"]["form"]) == (0, "sqlite")
    assert file.stat().st_mode & 0o777 == 0o600
    copied = tmp_path / "restored.db"
    shutil.copy(file, copied)
    assert dump_url(f"sqlite:///{copied}") == dump_url(sqlite_url)
    assert run(sqlite_url, "db", "backup", str(file)).exit_code == 2
    assert run(sqlite_url, "db", "backup", str(tmp_path / "none" / "x")).exit_code == 3

    def without_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", without_links)  # as on exFAT
    assert run(sqlite_url, "db", "backup", str(file.with_name("carried away"))).exit_code == 0
    assert dump_url(f"sqlite:///{file.with_name('carried away')}") == dump_url(sqlite_url)
    assert run(sqlite_url, "db", "backup", str(file)).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_backup_of_sqlite_comes_to_its_end_while_others_write(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of one state, and does not begin again with each commit of somebody else."""
    monkeypatch.setattr(copying, "_PAGES_A_STEP", 5)
    steps: list[int] = []
    with closing(open_store(sqlite_url)) as store, closing(open_store(sqlite_url)) as other:
        seed_contacts(store, 200)

        def write(copied: int, _total: int) -> None:
            steps.append(copied)
            assert len(steps) < 1000, "it begins again and again"
            with other.writing() as connection:
                connection.execute(text("UPDATE contact SET revision = revision + 1"))

        copying.back_up_sqlite(store, tmp_path / "copy.db", write)
    assert len(steps) > 3
    assert steps == sorted(steps)
    with closing(open_store(f"sqlite:///{tmp_path}/copy.db")) as copy, copy.reading() as found:
        assert found.execute(text("SELECT max(revision) FROM contact")).scalar_one() == 0


def test_a_backup_of_postgres_is_pg_dumps(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pg_dump of our own, as the real one must be of the server's version."""
    seen = tmp_path / "seen"
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" > {seen}\necho "password $PGPASSWORD" >> {seen}\n'
        'for arg; do case $arg in --file=*) echo dumped > "${arg#--file=}";; esac; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    url = postgres_url.replace("//postgres@", "//postgres:s3cret@")
    file = tmp_path / "store.backup"
    made = run(url, "db", "backup", str(file))
    assert (made.exit_code, made.json["data"]["form"]) == (0, "pg_dump")
    assert file.read_text() == "dumped\n"
    arguments, password = seen.read_text().splitlines()
    assert "--format=custom" in arguments
    assert "--lock-wait-timeout=30000" in arguments  # or a table that is being altered holds it up
    assert "s3cret" not in arguments
    assert password == "password s3cret"
    program.write_text("#!/bin/sh\necho 'pg_dump: error: server version mismatch' >&2\nexit 1\n")
    refused = run(url, "db", "backup", str(tmp_path / "other.backup"))
    assert refused.exit_code == 3
    assert "server version mismatch" in refused.json["errors"][0]["message"]
    assert not (tmp_path / "other.backup").exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    without = run(url, "db", "backup", str(file.with_name("third")))
    assert "db copy --to" in without.json["errors"][0]["hint"]


@ACROSS
def test_a_store_that_init_has_just_made_is_as_good_as_an_empty_one(
    source: str, target: str, tmp_path: Path
) -> None:
    made = run_cli(["init", "--config", "new.yaml", "--database", target], cwd=tmp_path)
    assert made.exit_code == 0, made.stderr
    again = shutil.copy(tmp_path / "new.yaml", tmp_path / "other.yaml")
    assert run(source, "db", "copy", "--to", target).exit_code == 0
    assert last_run_taken_from(contents(target)) == ("copy", contents(source))
    # now it holds something, and so does one in which somebody made a group
    assert run(source, "db", "copy", "--to", target).exit_code == 3
    other = f"sqlite:///{tmp_path}/other.db"
    assert run_cli(["init", "--config", again, "--database", other], cwd=tmp_path).exit_code == 0
    assert run(other, "groups", "create", "news").exit_code == 0
    refused = run(source, "db", "copy", "--to", other)
    assert (refused.exit_code, refused.json["errors"][0]["code"]) == (3, "not-empty")
