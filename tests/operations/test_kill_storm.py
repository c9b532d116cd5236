"""Every changing command killed with -9 at random moments: run again, it leaves what one clean run
leaves, and the store is in order at every moment between."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, select, text

from contactctl.domain.responses import Category
from contactctl.operations.database import check_database
from contactctl.store import tables
from contactctl.store.database.migrate import upgrade
from contactctl.store.database.store import (
    SCHEMA_VERSION,
    Store,
    connect,
    open_store,
    schema_version,
)
from helpers.cli import run_cli
from helpers.contacts import add_contact, seed_contacts
from helpers.databases import copy_sqlite, create_database, drop_database
from helpers.handled import add_response, open_deactivation
from helpers.processes import KILLED, exit_code_of, start_cli
from helpers.sessions import NOW, make_session

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(os.name == "nt", reason="kill -9"),
]

KILLS = int(os.environ.get("CONTACTCTL_TEST_KILLS", "20"))  # of each command on each database
CONTACTS = 400
OLD_SCHEMA = "0007"
POLICY = """
allow_undo: true
thresholds: {transient: {count: 1}}
handling: {transient: {reactivate_after: 10 days}}
"""
CONFIG = f"""{POLICY}
suppression_key_file: suppression.key
limits: {{max_contacts: 100000, max_percent: 100}}
"""
ROWS = "email,first_name,tag,group\n" + "".join(
    f"{'new' if n % 2 else 'c'}{n}@example.com,N{n},t{n % 3},newsletter\n" for n in range(600)
)
EVENTS = "".join(
    f'{{"email": "{"c" if n % 3 else "unknown"}{n}@example.com", "category": "transient",'
    f' "occurred_at": "2026-06-0{n % 9 + 1}T12:00:00Z", "id": "{n}"}}\n'
    for n in range(1, 400)
)
FILES = {
    "contactctl.yaml": CONFIG,
    "rows.csv": ROWS,
    "events.jsonl": EVENTS,
    "listed.csv": "email\n" + "".join(f"listed{n}@example.org\n" for n in range(300)),
    "policy.yaml": f"{POLICY}limits: {{max_contacts: 5000, max_percent: 90}}\n",
}
GONE = "gone@example.org"
MANY = ("--where", "id <= 300")
CONFIRMED = ("--confirm", "300")


@dataclass(frozen=True)
class Change:
    """A command that changes the store; LATEST in it is the latest run's number.

    `before` are the commands that come first, `also` does what no command does.
    """

    args: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    also: Callable[[Store], None] = field(default=lambda _store: None)


def interrupted(store: Store) -> None:
    """The latest plan is at work, and its process has died."""
    started = "UPDATE run SET state = 'running', started_at = planned_at, applied_by = 'x@host'"
    with store.writing() as connection:
        connection.execute(text(f"{started} WHERE id = (SELECT max(id) FROM run)"))


def downgrade(store: Store) -> None:
    """The same in a store that an older release made: with its tables alone, and their columns."""
    now, then = MetaData(), MetaData()
    with store.writing() as connection:
        now.reflect(connection)
        rows = {
            each.name: [*connection.execute(select(each)).mappings()] for each in now.sorted_tables
        }
        now.drop_all(connection)
    upgrade(store, OLD_SCHEMA)
    with store.engine.begin() as connection:  # `writing` looks at the columns of today
        then.reflect(connection)
        for table in then.sorted_tables:
            written = {each.name for each in table.columns if each.computed is None}
            kept = [{name: row[name] for name in written} for row in rows[table.name]]
            if not kept or table.name == "alembic_version":
                continue
            connection.execute(insert(table), kept)
            if connection.dialect.name == "postgresql" and "id" in written:
                last = f"pg_get_serial_sequence('\"{table.name}\"', 'id'), max(id)"
                connection.execute(text(f'SELECT setval({last}) FROM "{table.name}"'))


PLANNED = (("deactivate", *MANY, "--plan"),)
DEACTIVATED = (("deactivate", *MANY, *CONFIRMED),)
SWEPT = (("sweep", "all", "--yes"),)
CHANGES: dict[str, Change] = {
    "contacts add": Change(
        ("contacts", "add", "one@example.com", "--group", "newsletter", "--tag", "a")
    ),
    "contacts import": Change(("contacts", "import", "rows.csv")),
    "deactivate": Change(("deactivate", *MANY, *CONFIRMED)),
    "deactivate --plan": Change(("deactivate", *MANY, "--plan")),
    "runs apply": Change(("runs", "apply", "LATEST", *CONFIRMED), PLANNED),
    "runs resume": Change(("runs", "resume", "LATEST", "--yes"), PLANNED, interrupted),
    "runs cancel": Change(("runs", "cancel", "LATEST"), PLANNED),
    "runs undo": Change(("runs", "undo", "LATEST", *CONFIRMED), DEACTIVATED),
    "reactivate": Change(
        ("reactivate", "c7@example.com", "--confirm", "c7@example.com"),
        (("deactivate", "--where", "email = c7@example.com", "--confirm", "1"),),
    ),
    "groups create": Change(("groups", "create", "weekly")),
    "groups add": Change(("groups", "add", "empty", "c7@example.com")),
    "groups set": Change(("groups", "set", "newsletter", "--deactivate", "group")),
    "groups rename": Change(("groups", "rename", "newsletter", "weekly")),
    "groups delete": Change(("groups", "delete", "empty")),
    "groups remove": Change(("groups", "remove", "newsletter", *MANY, "--confirm", "150")),
    "contacts anonymize": Change(("contacts", "anonymize", *MANY, *CONFIRMED)),
    "contacts delete": Change(("contacts", "delete", *MANY, *CONFIRMED)),
    "suppressions add": Change(("suppressions", "add", GONE, "--confirm", GONE)),
    "suppressions import": Change(("suppressions", "import", "listed.csv")),
    "suppressions remove": Change(
        ("suppressions", "remove", GONE, "--confirm", GONE),
        (("suppressions", "add", GONE, "--confirm", GONE),),
    ),
    "suppressions rotate-key": Change(
        ("suppressions", "rotate-key"),
        (("suppressions", "add", GONE, "--confirm", GONE),),
    ),
    "responses ingest": Change(("responses", "ingest", "events.jsonl")),
    "responses release": Change(("responses", "release", "--all")),
    "responses discard": Change(("responses", "discard", "--all")),
    "sweep all": Change(("sweep", "all", "--yes")),
    "policy apply": Change(("policy", "apply", "policy.yaml", "--confirm", "5")),
    "db upgrade": Change(("db", "upgrade"), also=downgrade),
    "db copy": Change(("db", "copy", "--to", "sqlite:///FOLDER/copied.db"), SWEPT),
}


def furnish(store: Store) -> None:
    """Contacts that are mailed, that wait to come back, and that responses are held of."""
    seed_contacts(store, CONTACTS)
    with store.writing() as connection:
        connection.execute(
            text(
                "UPDATE contact SET email = 'c' || id || '@example.com',"
                " email_key = 'c' || id || '@example.com', email_domain = 'example.com'"
            )
        )
        connection.execute(
            text("UPDATE contact_email SET email_key = 'c' || contact_id || '@example.com'")
        )
        for number in range(60):
            contact_id = add_contact(connection, f"waits{number}@example.com")
            old = NOW.replace(month=5)
            open_deactivation(connection, contact_id, started_at=old)
        for number in range(1, 80):
            add_response(
                connection, number, Category.TRANSIENT, source_key="h", held=True, run_id=1
            )
        row = {"name": "empty", "name_folded": "empty", "created": NOW, "settings": {}}
        connection.execute(insert(tables.group).values(row))


class Place:
    """A store with its folder, which is copied for each attempt."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def args(self, args: tuple[str, ...]) -> list[str]:
        words = [str(self.folder / word) if word in FILES else word for word in args]
        words = [word.replace("FOLDER", str(self.folder)) for word in words]
        if "LATEST" in words:
            with closing(open_store(self.url)) as store, store.reading() as connection:
                latest = connection.execute(text("SELECT max(id) FROM run")).scalar_one()
            words[words.index("LATEST")] = str(latest)
        config = self.folder / "contactctl.yaml"
        return [*words, "--database", self.url, "--config", str(config)]


@pytest.fixture
def copies(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str, change: Change
) -> Iterator[Callable[[], Place]]:
    """Makes fresh copies of a store in which the change has yet to be made."""
    template = tmp_path / "template"
    template.mkdir()
    for name, content in FILES.items():
        (template / name).write_text(content)
    made: list[str] = []
    if dialect == "sqlite":
        url = copy_sqlite(request.getfixturevalue("sqlite_template"), template)
    else:
        server = request.getfixturevalue("postgres_server_url")
        url = create_database(server, request.getfixturevalue("postgres_template"))
        made.append(url)
    place = Place(template, url)
    with closing(open_store(url)) as store:
        furnish(store)
    for args in change.before:
        done = run_cli(place.args(args), cwd=template)
        assert done.exit_code == 0, done.stderr
    with closing(open_store(url)) as store:
        change.also(store)
    numbers = iter(range(10**6))

    def copy() -> Place:
        folder = tmp_path / f"copy{next(numbers)}"
        shutil.copytree(template, folder)
        if dialect == "sqlite":
            return Place(folder, f"sqlite:///{folder / 'contacts.db'}")
        for each in made[1:]:
            drop_database(server, each)
        del made[1:]
        made.append(create_database(server, url.partition("?")[0].rsplit("/", 1)[1]))
        return Place(folder, made[-1])

    yield copy
    for each in reversed(made):
        drop_database(server, each)


def broken(url: str) -> set[str]:
    """What is not in order, apart from a run that waits to be finished."""
    with closing(connect(url)) as store:
        if schema_version(store) != SCHEMA_VERSION:
            return set()
        found = check_database(make_session(store)).findings
    return {each.check for each in found if each.broken} - {"no run is unfinished"}


def clean_up(place: Place) -> None:
    """What cron does in the night."""
    upgrade = [("db", "upgrade")] if schema(place.url) != SCHEMA_VERSION else []
    for words in (*upgrade, ("sweep", "all", "--yes")):
        done = run_cli(place.args(words), cwd=place.folder)
        assert done.exit_code == 0, done.stderr


def what_is_there(place: Place) -> dict[str, Any]:
    """The store and, where there is one, the copy that was made of it."""
    copied = place.folder / "copied.db"
    if not copied.exists() or schema(f"sqlite:///{copied}") != SCHEMA_VERSION:
        return what_it_holds(place.url)
    return {**what_it_holds(place.url), "copied": what_it_holds(f"sqlite:///{copied}")}


def schema(url: str) -> str | None:
    with closing(connect(url)) as store:
        return schema_version(store)


def what_it_holds(url: str) -> dict[str, Any]:
    """All that a person would miss or find twice, without numbers and instants of the attempt."""
    contact, group, ended = tables.contact, tables.group, tables.deactivation
    with closing(open_store(url)) as store, store.reading() as connection:

        def rows(statement: Any) -> Counter[Any]:
            return Counter(tuple(row) for row in connection.execute(statement))

        names = select(group.c.id, group.c.name)
        by_number = {row[0]: row[1] for row in connection.execute(names)}
        return {
            "contacts": rows(
                select(contact.c.email, contact.c.status, contact.c.first_name, contact.c.source)
            ),
            "groups": Counter(by_number.values()),
            "settings": sorted(str(row) for row in connection.execute(select(group.c.settings))),
            "members": of_contacts(connection, tables.membership, "group_id", "state"),
            "former": of_contacts(connection, tables.former_membership, "group_id"),
            "tags": of_contacts(connection, tables.contact_tag, "tag"),
            "deactivations": rows(
                select(
                    contact.c.email,
                    ended.c.group_id,
                    ended.c.category,
                    ended.c.origin,
                    ended.c.ended_at.is_(None),
                ).join_from(contact, ended, contact.c.id == ended.c.contact_id)
            ),
            "responses": of_contacts(connection, tables.response, "source_key", "counts", "held"),
            "unmatched": rows(select(tables.unmatched_response.c.source_key)),
            "suppressed": connection.execute(text("SELECT count(*) FROM suppression")).scalar(),
            "policy": connection.execute(text("SELECT count(*) FROM policy")).scalar(),
        }


def of_contacts(connection: Connection, table: Any, *names: str) -> Counter[Any]:
    contact = tables.contact
    columns = [contact.c.email, *(table.c[name] for name in names)]
    statement = select(*columns).join_from(contact, table, contact.c.id == table.c.contact_id)
    return Counter(tuple(row) for row in connection.execute(statement))


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_killed_at_random_moments(
    copies: Callable[[], Place], dialect: str, change: Change
) -> None:
    exit_code_of(start_cli(["--version"]))  # from now on processes start at once
    clean = copies()
    args = clean.args(change.args)
    began = monotonic()
    assert exit_code_of(start_cli(args, batch_contacts=25)) == 0
    duration = monotonic() - began
    clean_up(clean)
    expected = what_is_there(clean)

    chance = random.Random(f"{change.args} {dialect}")
    landed = 0
    for _ in range(20 * KILLS):
        place = copies()
        args = place.args(change.args)
        process = start_cli(args, batch_contacts=25)
        process.join(chance.uniform(0.01, duration))
        process.kill()
        if exit_code_of(process) == KILLED:
            landed += 1
        else:
            duration *= 0.9  # the first run was slower than most

        assert broken(place.url) == set()
        clean_up(place)
        if what_is_there(place) != expected:
            again = run_cli(args, cwd=place.folder)
            assert again.exit_code == 0, again.stderr
            clean_up(place)
        assert what_is_there(place) == expected
        assert broken(place.url) == set()
        shutil.rmtree(place.folder)
        if landed == KILLS:
            break
    assert landed == KILLS
