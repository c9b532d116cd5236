"""What help, usage errors and completion must not import, looked up in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("sqlalchemy", "sqlmodel", "pydantic", "alembic", "psycopg"),
    *("textual", "rich", "yaml", "platformdirs", "filelock"),
}
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("CONTACTCTL_")}
ENVIRON["PYTHONPATH"] = str(Path(__file__).parents[2])
PROBE = """
import runpy, sys
sys.argv = ["contactctl", *sys.argv[1:]]
try:
    runpy.run_module("contactctl", run_name="__main__")
except SystemExit:
    pass
print("\\n" + " ".join(sys.modules), file=sys.stderr)
"""


def imported_by(*args: str, **environ: str) -> set[str]:
    """Top-level names of the modules that the command line imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *args],
        capture_output=True,
        text=True,
        env={**ENVIRON, **environ},
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("fields", "--help"),
        ("config", "--help"),
        ("config", "show", "--help"),
        ("feilds",),
        ("fields", "--jsn"),
        ("fields", "--format", "xml"),
        ("completion",),
        ("completion", "bash"),
        ("completion", "zsh", "--json"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(args: tuple[str, ...]) -> None:
    imported = imported_by(*args)

    assert "typer" in imported
    assert not imported & HEAVY


def test_no_command_imports_anything_heavy_before_it_runs() -> None:
    script = (
        "import sys\n"
        "from contactctl.cli import app, registry\n"
        "for path in registry.COMMANDS: app.load_command(path)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRON
    )

    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert not imported & HEAVY


@pytest.mark.parametrize("words", ["contactctl ", "contactctl fields --format ", "contactctl co"])
def test_completion_imports_nothing_heavy(words: str) -> None:
    imported = imported_by(
        _CONTACTCTL_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(words.count(" ")),
    )

    assert not imported & HEAVY


def test_the_version_needs_not_even_typer() -> None:
    assert not imported_by("--version") & {"typer", *HEAVY}


def test_reading_the_configuration_needs_no_database() -> None:
    assert not imported_by("fields") & (HEAVY - {"yaml", "platformdirs"})


def test_a_glance_at_a_store_loads_neither_a_driver_nor_what_changes_contacts(
    sqlite_url: str,
) -> None:
    script = PROBE.replace("sys.modules)", "(m.removeprefix('contactctl.') for m in sys.modules))")
    done = subprocess.run(
        [sys.executable, "-c", script, "status", "--json", "--database", sqlite_url],
        capture_output=True,
        text=True,
        env=ENVIRON,
        check=True,
    )

    imported = set(done.stderr.splitlines()[-1].split())
    assert "store.tables" in imported
    assert not imported & {
        *("psycopg", "alembic", "rich", "textual", "filelock", "openpyxl", "zstandard"),
        *("sqlmodel", "pydantic", "sqlalchemy.orm"),
        *("operations.criteria", "operations.plans", "operations.ingest", "operations.importing"),
        *("store.criteria", "store.plans", "store.bursts", "store.thresholds", "responses"),
    }
