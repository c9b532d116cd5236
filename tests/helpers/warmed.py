"""Importing this imports the whole program, and makes what is made at its first use.

For the server that forks: `helpers.processes`.
"""

import gc
import importlib
import io
import json
import os
import pkgutil
import tempfile
from pathlib import Path

from contactctl.cli.main import run
from contactctl.output.console import Console
from helpers.fast_stores import leave_writing_to_the_system, share_compiled_statements

PROGRAM = "contactctl"
_ALSO_IMPORTED = (
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
# whatever becomes of them: they compile SQL, and build the tables and the help they need
_COMMANDS = (
    "init --config contactctl.yaml",
    "contacts import {folder}/contacts.csv",
    "status",
    "preview --json",
    "responses ingest {folder}/events.jsonl",
    "deactivate b@example.org --confirm b@example.org",
    "contacts export",
    "runs list",
)


def _import_all() -> None:
    for name in _ALSO_IMPORTED:
        importlib.import_module(name)
    package = importlib.import_module(PROGRAM)
    for module in pkgutil.walk_packages(package.__path__, f"{PROGRAM}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _run_some_commands() -> None:
    """So that SQL is compiled, and what is made at its first use is there."""
    share_compiled_statements()
    leave_writing_to_the_system()
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere:
        folder = Path(name)
        environ = {"HOME": name, "XDG_CONFIG_HOME": name, "XDG_DATA_HOME": name}
        event = {"email": "a@example.com", "category": "transient", "id": "1"}
        (folder / "events.jsonl").write_text(json.dumps(event))
        (folder / "contacts.csv").write_text("email\nb@example.org\n")
        database = ["--database", f"sqlite:///{folder}/contacts.db"]
        for command in _COMMANDS:
            console = Console(
                stdin=io.StringIO(), stdout=nowhere, stderr=nowhere, environ=environ, cwd=folder
            )
            run([*command.format(folder=folder).split(), *database], console)


_import_all()
_run_some_commands()
gc.collect()
gc.freeze()  # so that a fork's collections do not touch, and so copy, what all share
