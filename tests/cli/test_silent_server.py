"""A server that falls silent in the middle of a command: exit 3, and a store that is whole."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from contactctl.operations.database import check_database
from contactctl.store.database.store import SCHEMA_VERSION, Store, open_store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.databases import empty_database
from helpers.sessions import make_session
from helpers.silent_proxy import silent_proxy

DONE, STORE = 0, 3
PATIENCE_S = 120
EVENTS = "".join(
    f'{{"email": "c{n}@example.com", "category": "transient",'
    f' "occurred_at": "2026-06-01T12:00:00Z", "id": "{n}"}}\n'
    for n in range(1, 20)
)
ROWS = "email,first_name\n" + "".join(f"new{n}@example.com,New\n" for n in range(20))
FILES = ("rows.csv", "events.jsonl")
COMMANDS: dict[str, list[object]] = {
    "status": ["status"],
    "preview": ["preview", "--where", "id <= 10"],
    "contacts list": ["contacts", "list"],
    "db check": ["db", "check"],
    "deactivate": ["deactivate", "--where", "id <= 10", "--confirm", 10, "--limit-override", 10],
    "deactivate --plan": ["deactivate", "--where", "id <= 10", "--plan"],
    "contacts import": ["contacts", "import", "rows.csv"],
    "contacts add": ["contacts", "add", "one@example.com"],
    "responses ingest": ["responses", "ingest", "events.jsonl"],
    "groups add": ["groups", "add", "newsletter", 1],
    "contacts delete": ["contacts", "delete", "--where", "id <= 2", "--confirm", 2],
    "sweep": ["sweep", "all", "--yes"],
    "reactivate": ["reactivate", "20", "--confirm", "nobody@example.com"],
    "runs list": ["runs", "list"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.jsonl").write_text(EVENTS)
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "key").write_text("")
    (tmp_path / "contactctl.yaml").write_text("thresholds:\n  transient: {count: 1}\n")
    return tmp_path


@pytest.fixture
def seeded(postgres_url: str) -> Iterator[Store]:
    with closing(open_store(postgres_url)) as store:
        seed_contacts(store, 20)
        yield store


def run_within_patience(args: list[object], url: str, folder: Path) -> CliResult:
    results: list[CliResult] = []

    def run() -> None:
        given = [folder / arg if arg in FILES else arg for arg in args]
        results.append(run_cli([*given, "--database", url], cwd=folder))

    command = Thread(target=run, daemon=True)
    command.start()
    command.join(PATIENCE_S)
    assert results, "the command waits for ever"
    return results[0]


def require_whole(store: Store) -> None:
    """Nothing is half done; a run that was cut short may still wait to be finished."""
    findings = check_database(make_session(store)).findings
    broken = [each.check for each in findings if each.broken]
    assert set(broken) <= {"no run is unfinished"}


@pytest.mark.parametrize(
    ("command", "words", "hint"),
    [
        ("status", b"TimeZone", ""),  # connected, and nothing said yet
        ("status", b"alembic_version", ""),
        ("deactivate", b"pg_try_advisory_xact_lock", ""),
        ("deactivate", b"INSERT INTO plan_item", ""),
        ("deactivate", b"INSERT INTO deactivation", "`contactctl runs resume 1`"),
        ("contacts import", b"COPY", "give the same command again"),
        ("responses ingest", b"INSERT INTO response", "ingest the same input again"),
    ],
)
def test_silence_ends_the_command_and_leaves_the_store_whole(
    seeded: Store, postgres_url: str, folder: Path, command: str, words: bytes, hint: str
) -> None:
    with silent_proxy(postgres_url, lambda _number, packet: words in packet) as proxy:
        result = run_within_patience([*COMMANDS[command], "--timeout", 1], proxy.url, folder)

    assert (result.exit_code, result.stdout) == (STORE, "")
    assert "no answer within 1 s" in result.stderr
    assert "--timeout SECONDS" in result.stderr
    assert hint in result.stderr
    require_whole(seeded)
    swept = run_within_patience(["sweep", "all", "--yes"], postgres_url, folder)
    assert swept.exit_code == DONE, swept.stderr
    require_whole(seeded)


@pytest.mark.torture
@pytest.mark.parametrize("command", COMMANDS)
def test_silence_at_every_packet(postgres_url: str, folder: Path, command: str) -> None:
    """Until the command is through before the moment comes."""
    for number in itertools.count(1):
        empty_database(postgres_url, SCHEMA_VERSION)  # which ends all connections
        with closing(open_store(postgres_url)) as store:
            seed_contacts(store, 20)
            with silent_proxy(postgres_url, lambda at, _packet, last=number: at >= last) as proxy:
                args = [*COMMANDS[command], "--timeout", 1]
                result = run_within_patience(args, proxy.url, folder)
                packets = proxy.packets
            require_whole(store)
        if packets < number:
            assert result.exit_code != STORE
            return
        assert result.exit_code in (STORE, DONE), result.stderr
