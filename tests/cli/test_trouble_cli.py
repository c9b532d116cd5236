"""What a person reads when a disk, a signal, a plan or their own command line is the trouble."""

import os
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest

from contactctl.domain.criteria.conditions import parse_condition
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.errors import CriteriaError, StoreError
from contactctl.store.database.store import Store
from helpers.cli import run_cli
from helpers.contacts import seed_contacts
from helpers.store_cli import StoreCli, seeded_cli
from helpers.warm_python import warm_python

ROOT = Path(__file__).parents[2]
SECRET = "s3cret"
URL = f"postgresql://me:{SECRET}@db.example.com/crm"


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    return seeded_cli(store, store_url, tmp_path, 20)


@pytest.mark.parametrize(
    "args",
    [
        ["status", URL],
        [URL],
        ["contacts", URL],
        ["status", "--config", URL],
        ["status", f"--database={URL}", URL],
        ["status", f"host=db password={SECRET}"],
        ["fields", "--fields", URL],
        ["runs", "show", URL],
        ["status", "--format", URL],
        [f"--{URL}"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_password_on_the_command_line_is_echoed(
    args: list[str], form: list[str], tmp_path: Path
) -> None:
    result = run_cli([*args, *form], cwd=tmp_path)

    assert result.exit_code == 2
    assert SECRET not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "text",
    [
        f"database: {URL}\n  more",
        f"database: postgresql://a-very-long-user-name-that-leaves-no-room:{SECRET}@h/d\n  more",
        f"thresholds: {URL}",
        f"{URL}",
        f"{URL}: 1",
        f"database: [{URL}]",
        f"limits: {{max_percent: {URL}}}",
        f"database: '{URL}",
    ],
)
def test_no_password_in_the_config_is_echoed(text: str, tmp_path: Path) -> None:
    (tmp_path / "contactctl.yaml").write_text(text)
    result = run_cli(["config", "show"], cwd=tmp_path)

    assert result.exit_code == 2, result.stdout
    assert SECRET not in result.stdout + result.stderr


def test_options_in_the_url_are_not_shown(tmp_path: Path) -> None:
    url = f"postgresql://me@db/crm?sslmode=require&options=-capp.key%3D{SECRET}"
    (tmp_path / "contactctl.yaml").write_text(f"database: {url}\n")
    result = run_cli(["config", "show"], cwd=tmp_path)

    assert result.exit_code == 0, result.stderr
    assert SECRET not in result.stdout
    assert "sslmode=require&options=***" in result.stdout


@pytest.mark.parametrize(
    "value", ["(" * 200_000, "(id " * 60_000, "x" + " " * 200_000 + "y", "and (id" * 30_000]
)
def test_a_condition_is_read_in_time_that_grows_with_its_length(value: str) -> None:
    """With time that grows with its square this would take an hour."""
    with pytest.raises(CriteriaError):
        parse_condition(f"company = {value}", FieldCatalogue({}))


def test_a_header_without_an_end_is_refused(cli: StoreCli, tmp_path: Path) -> None:
    file = tmp_path / "endless.csv"
    file.write_text("email," * 900_000)
    result = cli("contacts", "import", file)

    assert result.exit_code == 2
    assert "has a line of 5,400,000 bytes" in result.stderr


def test_a_plan_that_is_kept_is_named_when_it_cannot_be_shown(
    cli: StoreCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr("contactctl.operations.plans.show_plan", fail)
    result = cli("deactivate", "--where", "id <= 3", "--plan")

    assert result.exit_code == 3
    assert "run 1" in result.stderr
    assert "contactctl runs show 1" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_plan_that_is_kept_is_named_when_the_result_cannot_be_written(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    seed_contacts(store, 5)
    command = [warm_python(), "-m", "contactctl", "deactivate", "--where", "id <= 1", "--plan"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, "--json", "--database", store_url],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=_environment(),
        )

    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "run 1 is planned; `contactctl runs show 1` shows it" in done.stderr


def test_a_run_is_named_when_the_reader_of_the_result_has_ended(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    seed_contacts(store, 5)
    command = [warm_python(), "-m", "contactctl", "deactivate", "--where", "id <= 1"]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*command, "--confirm", "1", "--database", store_url],
            check=False,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=_environment(),
        )
    finally:
        os.close(writer)

    assert done.returncode == 0
    assert "run 1 is done; `contactctl runs show 1` shows it" in done.stderr


def test_the_floor_of_sqlalchemy_has_what_is_used() -> None:
    """Values.cte came with 2.0.42."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "sqlalchemy>=2.0.42" in project["dependencies"]


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": "/nonexistent",
    }


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.both_databases
def test_a_signal_ends_work_on_the_store_in_two_lines(
    name: str, store: Store, store_url: str, tmp_path: Path
) -> None:
    """In the middle of a transaction, whose lock is free at once."""
    script = tmp_path / "interrupted.py"
    script.write_text(_INTERRUPTED)
    events = tmp_path / "events.jsonl"
    events.write_text('{"email": "a@example.com", "category": "unknown", "id": "1"}\n')
    done = subprocess.run(
        [warm_python(), script, name, "responses", "ingest", events, "--database", store_url],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environment(),
    )

    assert done.returncode == 130, done.stderr
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert signal.Signals[name].name in done.stderr or name == "SIGINT"
    with store.writing():
        pass


# the signal comes while the driver executes a statement of the recording
_INTERRUPTED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
number = getattr(signal, sys.argv.pop(1))
@event.listens_for(Engine, "after_cursor_execute")
def interrupt(connection, cursor, statement, *rest):
    if "INSERT INTO response" in statement or "INSERT INTO unmatched_response" in statement:
        os.kill(os.getpid(), number)
from contactctl.__main__ import main
main()
"""
