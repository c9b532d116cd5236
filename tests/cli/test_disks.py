"""A store on a full disk, and on a read-only mount: it is said, exit 3, and the store is whole."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import Dump, dump_url
from helpers.mounts import read_only, small_disk

STORE = 3
ROWS = "email,company\n" + "".join(f"new{n}@example.com,{'x' * 200}\n" for n in range(20_000))
EVENTS = "".join(
    f'{{"email": "new{n}@example.com", "category": "transient", "id": "{n}",'
    f' "occurred_at": "2026-06-01T12:00:00Z", "diagnostic": "{"y" * 200}"}}\n'
    for n in range(20_000)
)
OVERRIDE = ("--confirm", "2000", "--limit-override", "2000")
CHANGES: dict[str, tuple[str, ...]] = {
    "import": ("contacts", "import", "rows.csv"),
    "ingest": ("responses", "ingest", "events.jsonl"),
    "deactivate": (
        "deactivate",
        "--where",
        "id > 0",
        "--confirm",
        "2000",
        "--limit-override",
        "2000",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Iterator[Path]:
    """A small disk with a store of 2,000 contacts, and what can be read into it elsewhere."""
    from contactctl.store.database.store import open_store

    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "events.jsonl").write_text(EVENTS)
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 4_000):
        shutil.copy(sqlite_template, disk / "contacts.db")
        store = open_store(url_in(disk))
        seed_contacts(store, 2_000)
        store.close()
        yield tmp_path


def url_in(disk: Path) -> str:
    return f"sqlite:///{disk / 'contacts.db'}"


def run(folder: Path, *args: str) -> CliResult:
    given = [folder / arg if "." in arg else arg for arg in args]
    return run_cli([*given, "--database", url_in(folder / "disk")], cwd=folder)


def held(url: str) -> Dump:
    return dump_url(url)


def fill(disk: Path, *, left: int) -> None:
    """Take all of the disk's room but so many KiB."""
    with (disk / "filler").open("wb") as filler:
        room = shutil.disk_usage(disk).free - left * 1024
        filler.write(bytes(max(0, room)))


@pytest.mark.parametrize("command", CHANGES)
def test_a_full_disk_is_named_and_costs_nothing(folder: Path, command: str) -> None:
    disk = folder / "disk"
    fill(disk, left=64)

    result = run(folder, *CHANGES[command])

    assert result.exit_code == STORE, result.stderr
    assert f"the disk of {disk} is full" in result.stderr
    (disk / "filler").unlink()
    assert run(folder, "sweep", "all", "--yes").exit_code == 0
    check = run(folder, "db", "check", "--json").json["data"]
    assert check["in_order"], check


def test_status_is_shown_or_says_that_the_disk_is_full(folder: Path) -> None:
    disk = folder / "disk"
    fill(disk, left=0)

    result = run(folder, "status")

    assert (result.exit_code == 0 and "2,000" in result.stdout) or (
        result.exit_code == STORE and f"the disk of {disk} is full" in result.stderr
    )


@pytest.mark.parametrize("command", CHANGES)
def test_on_a_read_only_mount_everything_can_be_looked_at_and_nothing_changed(
    folder: Path, command: str
) -> None:
    before = held(url_in(folder / "disk"))
    with read_only(folder / "disk"):
        assert run(folder, "status", "--json").json["data"]["total"] == 2_000
        assert run(folder, "preview", "--where", "id <= 5", "--json").json["data"]["count"] == 5

        result = run(folder, *CHANGES[command])

        assert result.exit_code == STORE, result.stderr
        assert "check that the file and its folder may be written" in result.stderr
    assert held(url_in(folder / "disk")) == before
