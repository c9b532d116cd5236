"""Fresh stores for tests: a copied SQLite file, or a Postgres database made from a template."""

import itertools
import os
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from helpers.kept_connections import kept_processes, let_go

_numbers = itertools.count(1)
_LARGE = 1 << 18  # bytes, from which on deleted rows would slow later tests down
_emptying: dict[str, psycopg.Connection[tuple[object, ...]]] = {}  # by URL


def replace_database(url: str, name: str) -> str:
    """The same server's URL for another database."""
    base, _, query = url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def create_database(server_url: str, template: str, encoding: str = "UTF8") -> str:
    """A new database from `template`; returns its URL. Only `template0` fits other encodings."""
    let_go()  # nobody else may be connected to the template
    name = f"cctl_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING {} LOCALE 'C'").format(
                sql.Identifier(name), sql.Identifier(template), sql.Literal(encoding)
            )
        )
    return replace_database(server_url, name)


def drop_database(server_url: str, url: str) -> None:
    if emptying := _emptying.pop(url, None):
        emptying.close()
    name = url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def empty_database(url: str, schema_version: str) -> None:
    """Put a database of ours back to the empty schema; faster by far than making a new one.

    Small tables are emptied row by row: TRUNCATE makes new files for each table and its indexes.
    The connection is kept, with what the server has planned for it.
    """
    connection = _emptying.get(url)
    if connection is None or connection.closed:
        connection = _emptying[url] = psycopg.connect(url, autocommit=True, prepare_threshold=0)
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
        " current_database() AND pid <> pg_backend_pid() AND pid <> ALL (%s::int[])",
        [kept_processes()],
    )
    large, small = _tables_to_empty(connection)
    if large or small:
        with connection.transaction():
            # foreign keys need not be looked at, as nothing is left
            connection.execute("SET LOCAL session_replication_role = replica", prepare=False)
            for name in small:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            if large:
                names = sql.SQL(", ").join(map(sql.Identifier, large))
                truncate = sql.SQL("TRUNCATE {} CASCADE").format(names)
                connection.execute(truncate, prepare=False)
    connection.execute(
        "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
        " FROM pg_sequences WHERE last_value IS NOT NULL"
    )
    connection.execute(
        "UPDATE alembic_version SET version_num = %s WHERE version_num <> %s", [schema_version] * 2
    )


def _tables_to_empty(connection: psycopg.Connection[tuple[object, ...]]) -> tuple[list[str], ...]:
    """The large ones, with rows or without; and the small ones with rows."""
    sizes = connection.execute(
        "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
        " ORDER BY relname"
    ).fetchall()
    looks = [
        sql.SQL("(SELECT {} WHERE EXISTS (SELECT FROM {}))").format(
            sql.Literal(name), sql.Identifier(name)
        )
        for name, _ in sizes
    ]
    found = connection.execute(sql.SQL(" UNION ALL ").join(looks)).fetchall() if looks else []
    large = [name for name, size in sizes if size > _LARGE]
    return large, [name for (name,) in found if name not in large]


def copy_sqlite(template: Path, folder: Path) -> str:
    target = folder / "contacts.db"
    shutil.copy(template, target)
    return f"sqlite:///{target}"
