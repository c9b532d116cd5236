"""Logins on Postgres with exactly the rights that `db grants` prints."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psycopg

from helpers.cli import run_cli
from helpers.kept_connections import let_go

GROUPS = ("viewer", "operator", "admin")
# two operators and two admins, so that one can apply what the other has planned
LOGINS = {
    "vera": "viewer",
    "ole": "operator",
    "olga": "operator",
    "adam": "admin",
    "ada": "admin",
}


@contextmanager
def logins(owner_url: str) -> Iterator[Mapping[str, str]]:
    """The URL of each login; needs a server that trusts whoever connects."""
    names = [f"cctl_{name}" for name in (*LOGINS, *GROUPS)]
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for group in GROUPS:
            owner.execute(f"CREATE ROLE cctl_{group}".encode())
        for login, group in LOGINS.items():
            owner.execute(f"CREATE ROLE cctl_{login} LOGIN IN ROLE cctl_{group}".encode())
        flags = [f"--{group}=cctl_{group}" for group in GROUPS]
        granted = run_cli(["db", "grants", *flags, "--database", owner_url, "--json"])
        for statement in granted.json["data"]["statements"]:
            owner.execute(statement.encode())
    try:
        yield {login: owner_url.replace("//postgres@", f"//cctl_{login}@") for login in LOGINS}
    finally:
        let_go()
        with psycopg.connect(owner_url, autocommit=True) as owner:
            for table in ("run", "plan_item", "deactivation"):
                _insist(owner, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
            for name in names:
                _insist(owner, f"DROP OWNED BY {name}; DROP ROLE {name}")


def _insist(owner: psycopg.Connection, statement: str) -> None:
    """Autovacuum may look at a table in the same moment, each waiting for the other."""
    for _ in range(3):
        with suppress(psycopg.errors.DeadlockDetected):
            owner.execute(statement.encode())
            return
    raise AssertionError(f"a deadlock each time: {statement}")
