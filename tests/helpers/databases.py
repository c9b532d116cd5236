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


def copy_sqlite(template: Path, folder: Path) -> str:
    target = folder / "contacts.db"
    shutil.copy(template, target)
    return f"sqlite:///{target}"
