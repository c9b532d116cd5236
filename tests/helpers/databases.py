"""Fresh stores for tests: a copied SQLite file, or a Postgres database made from a template."""

import itertools
import os
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

_numbers = itertools.count(1)


def replace_database(url: str, name: str) -> str:
    """The same server's URL for another database."""
    base, _, query = url.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


def create_database(server_url: str, template: str) -> str:
    """A new database from `template`; returns its URL."""
    name = f"cctl_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return replace_database(server_url, name)


def drop_database(server_url: str, url: str) -> None:
    name = url.partition("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def empty_database(url: str, schema_version: str) -> None:
    """Put a database of ours back to the empty schema; faster by far than making a new one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version'"
        ).fetchall()
        names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in tables)
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        connection.execute("UPDATE alembic_version SET version_num = %s", [schema_version])


def copy_sqlite(template: Path, folder: Path) -> str:
    target = folder / "contacts.db"
    shutil.copy(template, target)
    return f"sqlite:///{target}"
