"""What somebody would write by hand for one question, with the driver alone and no safety."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

# what `last_opportunity older-than 24 months` means at helpers.sessions.NOW
CUTOFF = "2024-06-15"
_NOW = "2026-06-15 12:00:00.000000"
_MATCHES = f"status = 'active' AND last_opportunity < '{CUTOFF}'"

COUNT = f"SELECT count(*) FROM contact WHERE {_MATCHES}"
ROWS = (
    "SELECT id, email, first_name, last_name, company, last_opportunity, last_emailed,"
    f" last_opened, created FROM contact WHERE {_MATCHES} ORDER BY id LIMIT 30"
)
TOTAL = "SELECT count(*) FROM contact WHERE status = 'active'"
LEFT_OUT = f"{TOTAL} AND last_opportunity IS NULL"
INSERT = (
    "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)"
    f" SELECT id, 0, 1, '', 'bulk', '{_NOW}' FROM contact WHERE {_MATCHES}"
)
UPDATE = f"UPDATE contact SET status = 'inactive' WHERE {_MATCHES}"

# the criteria that preview.py asks for, on either database
_OF_PLAN = {
    "sqlite": "json_extract(attributes_folded, '$.plan') IN ('free', 'trial')",
    "postgres": "attributes_folded ->> 'plan' IN ('free', 'trial')",
}
_VIP = {
    "sqlite": "coalesce(json_extract(attributes, '$.vip') = 1, 0) = 0",
    "postgres": "coalesce(attributes -> 'vip' = 'true', false) = false",
}


def criteria(kind: str) -> dict[str, str]:
    """The conditions of each of those, for `preview_of`."""
    in_group = (
        "EXISTS (SELECT 1 FROM membership m WHERE m.contact_id = contact.id AND m.group_id ="
        " (SELECT id FROM \"group\" WHERE name_folded = 'newsletter'))"
    )
    tagged = (
        "EXISTS (SELECT 1 FROM contact_tag t WHERE t.contact_id = contact.id"
        " AND t.tag_folded = 'vip')"
    )
    old = f"last_opportunity < '{CUTOFF}'"
    return {
        "preview, nested": f"{old} AND ({in_group} OR {_OF_PLAN[kind]}) AND {_VIP[kind]}",
        "preview, tag or date": f"{tagged} OR {old}",
        "preview, responses >= 2": "id IN (SELECT contact_id FROM response WHERE"
        " category = 'transient' GROUP BY contact_id HAVING count(*) >= 2)",
    }


def preview_of(connection: Any, condition: str) -> None:
    """Count and 30 rows of the active contacts that fulfil it."""
    matches = f"FROM contact WHERE status = 'active' AND ({condition})"
    connection.execute(f"SELECT count(*) {matches}").fetchone()
    connection.execute(f"SELECT * {matches} ORDER BY id LIMIT 30").fetchall()


# what a table of somebody's own would not have
_OF_THE_STORE = ("DROP INDEX IF EXISTS contact_active_last_opportunity",)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A driver's own connection, in autocommit; SQLite in WAL, as the store is."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -32768")
    else:
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def preview(connection: Any) -> int:
    """Count and 30 rows."""
    count: int = connection.execute(COUNT).fetchone()[0]
    connection.execute(ROWS).fetchall()
    return count


def preview_in_full(connection: Any) -> int:
    """What a preview shows besides, too: the active total, and who has no last_opportunity."""
    connection.execute(TOTAL).fetchone()
    connection.execute(LEFT_OUT).fetchone()
    return preview(connection)


def deactivate(connection: Any) -> int:
    """Deactivations and status, in one transaction."""
    connection.execute("BEGIN")
    inserted: int = connection.execute(INSERT).rowcount
    connection.execute(UPDATE)
    connection.execute("COMMIT")
    return inserted


def make_bare(connection: Any) -> None:
    """Leave the tables what somebody would have given them: keys, and no index on status."""
    for statement in _OF_THE_STORE:
        connection.execute(statement)
