"""An import that is killed with -9 leaves a consistent store, and can simply be run again."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.runs import RunState
from contactctl.store.database.store import Store, open_store
from contactctl.store.runs import list_runs
from helpers import import_process
from helpers.imports import contacts_in, import_text
from helpers.sessions import make_session

ROWS = 900
BATCH_ROWS = 100


def content() -> str:
    """Every twentieth row is no contact; addresses come twice now and then."""
    rows = ["email,first_name,tag,group,attributes.orders"]
    for number in range(ROWS):
        email = "nobody" if number % 20 == 19 else f"c{number % 780}@x.no"
        rows.append(f"{email},Name {number},t{number % 7};all,g{number % 5},{number}")
    return "\n".join(rows) + "\n"


def without_id(contacts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Contacts by key; a batch that was rolled back leaves a gap in Postgres's numbers."""
    return {
        key: {name: value for name, value in contact.items() if name != "id"}
        for key, contact in contacts.items()
    }


def kill_after(store_url: str, path: Path, rejects: int) -> None:
    """Start the import, and kill it once it has told so many rejects."""
    with subprocess.Popen(
        [sys.executable, import_process.__file__, store_url, str(path), str(BATCH_ROWS)],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        for _ in range(rejects):
            assert process.stdout.readline()
        process.kill()
        process.wait()
        assert process.returncode < 0


@pytest.mark.parametrize("rejects", [1, 33])
def test_killed_and_run_again_gives_what_one_clean_import_gives(
    store_url: str, store: Store, tmp_path: Path, sqlite_template: Path, rejects: int
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(content())
    kill_after(store_url, path, rejects)

    half = contacts_in(store)
    with store.reading() as connection:
        killed = list_runs(connection, limit=1)[0]
    assert killed.state is RunState.RUNNING
    assert killed.planned % BATCH_ROWS == 0
    assert 0 < len(half) == killed.changed < 741
    assert killed.skipped["rejected"] >= rejects - BATCH_ROWS // 20

    again = import_text(make_session(store), path.read_text(), create_groups=True)
    assert again.result.rows == ROWS
    with store.reading() as connection:
        latest, before = list_runs(connection, limit=2)
    assert (latest.state, before.state) == (RunState.DONE, RunState.FAILED)

    clean_path = tmp_path / "clean.db"
    clean_path.write_bytes(sqlite_template.read_bytes())
    clean = open_store(f"sqlite:///{clean_path}")
    import_text(make_session(clean), path.read_text(), create_groups=True)
    expected = without_id(contacts_in(clean))
    clean.close()
    found = without_id(contacts_in(store))
    assert found.keys() == expected.keys()
    for key, contact in expected.items():
        # the second run meets again the rows that the killed one had put in: an address that
        # comes twice is then changed twice more
        assert found[key] | {"revision": 0} == contact | {"revision": 0}
