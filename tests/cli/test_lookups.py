"""What concerns a few contacts looks them up on SQLite, and reads no large table as a whole."""

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from contactctl.store.database.store import open_store
from helpers.cli import run_cli
from helpers.contacts import seed_contacts
from helpers.events import event, jsonl

LARGE = (
    "contact|contact_email|contact_tag|membership|deactivation|response|unmatched_response"
    "|delivery|click|change"
)
_NAMED = re.compile(rf'\b({LARGE})\b(?: AS)? "?(\w+)"?')
_SCAN = re.compile(r"SCAN (\w+)")
# how many are active before and after; indexes of few rows; a temporary table's own
_MAY_BE_READ = re.compile("contact_active_|response_(held|wish)|sqlite_autoindex_")

_IS_THERE_ANY = re.compile(r"SELECT [\w.]+ FROM \w+ LIMIT \? OFFSET \?")

CONFIG = """
limits: {max_contacts: 1000, max_percent: 100}
thresholds: {invalid-address: {count: 1}, transient: {count: 2, days_apart: 0}}
groups: {customers: {thresholds: {transient: {count: 1}}, deactivate: group}}
sources: {crm: {url: "sqlite:///crm.db", query: SELECT * FROM people, key: id}}
"""
ADDRESS = "bo.andersen.1@mail1.example.com"
SIGNS = [
    {"event": name, "email": ADDRESS, "timestamp": 1781400000 + number, "sg_event_id": name}
    | {"sg_message_id": "m1.recvd"}
    for number, name in enumerate(("delivered", "open", "click", "bounce", "unsubscribe"))
]
COMMANDS = (
    ("contacts", "import", "people.csv"),
    ("responses", "ingest", "signs.jsonl"),
    ("responses", "ingest", "bounces.jsonl"),
    ("responses", "ingest", "burst.jsonl"),  # compared with all that its domain got; see below
    ("contacts", "sync", "crm"),
    ("responses", "list", "--unsubscribed"),
    ("responses", "list", "--held"),
    ("responses", "list", "--held", "--unmatched"),
    ("responses", "list", "--email", ADDRESS),
    ("deactivate", "--emails", "few.txt", "--confirm", "1"),
    ("tags", "add", "cold", "--emails", "few.txt", "--confirm", "1"),
    ("groups", "remove", "newsletter", "--emails", "few.txt", "--confirm", "1"),
    ("explain", ADDRESS),
    ("contacts", "readdress", "2", "bo@example.org", "--confirm", "bo@example.org"),
    ("contacts", "merge", "3", "bo@example.org", "--confirm", "bo@example.org"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contactctl.yaml").write_text(CONFIG)
    (tmp_path / "signs.jsonl").write_text("".join(json.dumps(sign) + "\n" for sign in SIGNS))
    (tmp_path / "bounces.jsonl").write_text(
        jsonl(event(ADDRESS, group="customers", id="1"), event(ADDRESS, "invalid-address", id="2"))
    )
    burst = [event(f"b{n}@burst.example", "invalid-address", id=f"b{n}") for n in range(60)]
    (tmp_path / "burst.jsonl").write_text(jsonl(*burst))
    (tmp_path / "people.csv").write_text(
        f"email,group,tag,last_clicked\n{ADDRESS},x,y,2026-06-01\n"
    )
    (tmp_path / "few.txt").write_text("chloe.andersen.2@mail2.example.com\n")
    source = sa.create_engine(f"sqlite:///{tmp_path}/crm.db")
    with source.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (id integer, email text)"))
        connection.execute(sa.text(f"INSERT INTO people VALUES (1, '{ADDRESS}')"))
    source.dispose()
    return tmp_path


def test_what_concerns_a_few_reads_no_large_table(sqlite_url: str, folder: Path) -> None:
    store = open_store(sqlite_url)
    seed_contacts(store, 50)
    store.close()
    scans: set[tuple[str, str]] = set()
    sent: set[str] = set()

    def explain(connection: sa.Connection, _cursor: object, sql: str, *more: object) -> None:
        statement = " ".join(sql.split())
        if not re.match("SELECT|INSERT|UPDATE|DELETE|WITH", statement):
            return
        if "burst.jsonl" in command and statement.startswith("SELECT"):
            return
        if _IS_THERE_ANY.fullmatch(statement):
            return
        sent.add(statement)
        values, _context, many = more
        driver = connection.connection.driver_connection
        plan = driver.execute(f"EXPLAIN QUERY PLAN {sql}", values[0] if many else values)  # type: ignore
        aliases = {alias: table for table, alias in _NAMED.findall(statement)}
        for step in (row[3] for row in plan.fetchall()):
            scanned = _SCAN.match(step)
            is_large = scanned and re.fullmatch(LARGE, aliases.get(scanned[1], scanned[1]))
            if is_large and not _MAY_BE_READ.search(step):
                scans.add((step, statement))

    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        for command in COMMANDS:
            done = run_cli([*command, "--database", sqlite_url], cwd=folder)
            assert done.exit_code == 0, (command, done.stderr)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)
    assert len(sent) > 100
    assert scans == set()
