"""Other systems follow: every change once, in the order of the commits, whatever is killed."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from contactctl.domain.changes import ChangeKind
from contactctl.domain.errors import BusyError
from contactctl.domain.waits import Waits
from contactctl.operations.changes import CursorFile
from contactctl.store import tables
from contactctl.store.changes import last_change, note_change
from contactctl.store.database.locks import serialise
from contactctl.store.database.store import Store, open_store
from helpers.follower import Follower, require_followed
from helpers.processes import KILLED, exit_code_of, start_cli
from helpers.sessions import NOW
from helpers.store_cli import StoreCli

CONFIG = """
allow_undo: true
limits: {max_contacts: 10000, max_percent: 100}
thresholds: {invalid-address: {count: 1}}
handling: {invalid-address: {remove_from_group_after: 90 days}}
"""
FOLLOW = ("contacts", "changes", "--format", "jsonl", "--cursor")


@pytest.fixture
def cli(store: Store, store_url: str, tmp_path: Path) -> StoreCli:
    made = StoreCli(store, store_url, tmp_path)
    made.configure(CONFIG)
    return made


def write_people(folder: Path, numbers: range, group: str) -> Path:
    path = folder / "people.csv"
    rows = [f"c{number}@x.no,{group if number % 2 else ''}" for number in numbers]
    path.write_text("\n".join(["email,group", *rows]) + "\n")
    return path


def follow(cli: StoreCli, follower: Follower, cursor: str = "cursor") -> list[str]:
    done = cli(*FOLLOW, cursor)
    assert done.exit_code == 0, done.stderr
    return follower.take(done.lines)


def do(cli: StoreCli, *args: object) -> None:
    done = cli(*args)
    assert done.exit_code == 0, done.stderr


def wish(folder: Path, **values: str) -> Path:
    path = folder / "wish.jsonl"
    known = {"category": "unsubscribed", "time": "2026-06-15T10:00:00Z"}
    path.write_text(json.dumps(known | values) + "\n")
    return path


def test_each_change_is_told_once_and_in_its_order(cli: StoreCli) -> None:
    follower = Follower()
    assert follow(cli, follower) == []
    people = write_people(cli.folder, range(1, 4), "news")
    do(cli, "contacts", "import", people, "--create-groups")
    assert follow(cli, follower) == [
        *(f"{number} added" for number in (1, 2, 3)),
        *("1 joined news", "3 joined news"),
    ]
    do(cli, "groups", "add", "news", "c2@x.no")
    do(cli, "groups", "add", "news", "c2@x.no")
    do(cli, "deactivate", "--where", "id <= 2", "--confirm", 2)
    do(cli, "reactivate", "c2@x.no", "--group", "news", "--confirm", "c2@x.no")
    do(cli, "reactivate", "c2@x.no", "--group", "news", "--clear", "--confirm", "c2@x.no")
    do(cli, "reactivate", 1, "--confirm", "c1@x.no")
    assert follow(cli, follower) == [
        "2 joined news",
        *("1 deactivated", "2 deactivated"),
        *("2 reactivated news", "2 override-cleared news"),
        "1 reactivated",
    ]
    do(cli, "responses", "ingest", wish(cli.folder, id="a", email="c1@x.no", group="news"))
    do(cli, "responses", "ingest", wish(cli.folder, id="b", email="c3@x.no"))
    again = wish(cli.folder, id="c", email="c3@x.no", category="resubscribed")
    do(cli, "responses", "ingest", again)
    (undone,) = cli.json("runs", "list", "--kind", "deactivate")["runs"]
    do(cli, "runs", "undo", undone["run"], "--confirm", 1)
    do(cli, "groups", "remove", "news", "--where", "id <= 2", "--confirm", 2)
    assert follow(cli, follower) == [
        *("1 unsubscribed news", "1 deactivated news"),
        *("3 unsubscribed", "3 deactivated", "3 resubscribed"),
        "2 reactivated",
        *("1 left news", "2 left news"),
    ]
    do(cli, "contacts", "anonymize", "c1@x.no", "--confirm", "c1@x.no")
    do(cli, "contacts", "delete", "--where", "id <= 2", "--confirm", 2)
    assert follow(cli, follower) == ["1 erased", "2 erased"]
    assert follow(cli, follower) == []

    late = Follower()
    follow(cli, late, "another")
    for each in (follower, late):
        assert each.numbers == sorted(each.numbers)
        require_followed(cli.store, each, [1])


def test_thresholds_and_incidents_tell_of_whom_they_change(cli: StoreCli) -> None:
    people = write_people(cli.folder, range(1, 60), "news")
    do(cli, "contacts", "import", people, "--create-groups")
    do(cli, "deactivate", "--where", "id = 1", "--confirm", 1)
    follower = Follower()
    follow(cli, follower)
    path = cli.folder / "bounces.jsonl"

    def bounce(*numbers: int) -> list[str]:
        path.write_text(
            "".join(
                json.dumps(
                    {
                        "id": f"b{number}",
                        "email": f"c{number}@x.no",
                        "category": "invalid-address",
                        "time": "2026-06-15T10:00:00Z",
                    }
                )
                + "\n"
                for number in numbers
            )
        )
        do(cli, "responses", "ingest", path)
        return follow(cli, follower)

    # the first one is inactive already: a further reason, and no change
    assert bounce(1, 2, 3) == ["2 deactivated", "3 deactivated"]
    # so many at once are an incident, and what it did before is taken back
    assert bounce(*range(4, 60)) == ["2 reactivated", "3 reactivated"]
    require_followed(cli.store, follower, [1])


def steps(folder: Path, chance: random.Random) -> Iterator[list[object]]:
    """Anything that anybody may do, in any order."""
    newest = 0
    while True:
        one = f"c{chance.randint(1, newest + 1)}@x.no"
        below = chance.randint(1, newest + 1)
        some = ["--where", f"id between {below} and {below + 3}"]
        kind = chance.randrange(10)
        if kind < 2 or not newest:
            newest += 6
            people = write_people(folder, range(max(1, newest - 9), newest + 1), "news;offers")
            yield ["contacts", "import", people, "--create-groups"]
        elif kind == 2:
            yield ["deactivate", *some, "--confirm"]
        elif kind == 3:
            yield ["groups", "remove", "news", *some, "--confirm"]
        elif kind == 4:
            yield ["groups", "add", "news", one]
        elif kind == 5:
            yield ["reactivate", one, "--confirm", one, "--acknowledge", "unsubscribed"]
        elif kind == 6:
            yield ["reactivate", one, "--group", "offers", "--confirm", one]
        elif kind == 7:
            yield ["contacts", chance.choice(["delete", "anonymize"]), one, "--confirm", one]
        elif kind == 8:
            group = {"group": "offers"} if chance.random() < 0.5 else {}
            known = {"id": str(chance.random()), "email": one}
            yield ["responses", "ingest", wish(folder, **known, **group)]
        else:
            yield ["runs", "undo", chance.randint(1, 20), "--confirm"]


def confirmed(cli: StoreCli, step: list[object]) -> list[object]:
    """The step with the count that it asks for."""
    if step[-1] != "--confirm":
        return step
    data = cli(*step[:-1], "--dry-run", "--json").json["data"]
    count = data.get("count", 0)
    return [*step, count]


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.torture)])
def test_replaying_the_changes_gives_whom_the_store_would_mail(cli: StoreCli, seed: int) -> None:
    chance = random.Random(seed)
    todo = steps(cli.folder, chance)
    early, late = Follower(), Follower()
    for number in range(25):
        done = cli(*confirmed(cli, next(todo)))
        assert done.exit_code in (0, 4, 3, 1, 5), done.stderr
        if number % 3 == 0:
            follow(cli, early)
            require_followed(cli.store, early, [1, 2])
    follow(cli, early)
    follow(cli, late, "late")
    require_followed(cli.store, early, [1, 2])
    require_followed(cli.store, late, [1, 2])


def test_what_takes_its_turn_later_is_numbered_and_seen_later(store: Store, store_url: str) -> None:
    """On Postgres numbers are given before the commit, so nobody may be given one meanwhile."""
    hasty = open_store(store_url, Waits(locks_s=1))

    def note(connection: Any, contact: int) -> None:
        serialise(connection)
        note_change(connection, 1, ChangeKind.ADDED, contact, NOW)

    with store.writing() as first:
        note(first, 1)
        with pytest.raises(BusyError), hasty.writing() as second:
            note(second, 2)
        with hasty.reading() as reader:
            assert last_change(reader) is None
    with hasty.writing() as second:
        note(second, 2)
    with store.reading() as reader:
        numbers = select(tables.change.c.contact_id).order_by(tables.change.c.number)
        assert list(reader.execute(numbers).scalars()) == [1, 2]
    hasty.close()


def test_a_cursor_is_kept_whole_and_held_by_one(cli: StoreCli) -> None:
    people = write_people(cli.folder, range(1, 3), "")
    do(cli, "contacts", "import", people)
    cursor = cli.folder / "cursor"
    with CursorFile(cursor):
        assert cli(*FOLLOW, cursor).exit_code == 6
    assert not cursor.exists()
    assert cli(*FOLLOW, cursor).exit_code == 0
    assert json.loads(cursor.read_text())["number"] == 1
    kept = cursor.read_text()
    for broken in ("", "{}", "[1]", '{"number": "x", "at": null}', '{"number": -1, "at": null}'):
        other = cli.folder / "other"
        other.write_text(broken)
        assert cli.errors("contacts", "changes", "--cursor", other, exit_code=2)
        assert other.read_text() == broken
    assert not (cli.folder / "other.lock").exists()
    nowhere = cli.folder / "nowhere"
    assert cli.errors("contacts", "changes", "--cursor", nowhere / "cursor", exit_code=1)
    assert not nowhere.exists()
    for other in (kept.replace("1", "7", 1), kept.replace("2026", "2025")):
        cursor.write_text(other)
        (error,) = cli.errors("contacts", "changes", "--cursor", cursor, exit_code=4)
        assert error["code"] == "other-store"
    folder = ["--cursor", "/"]
    for wrong in ([], ["--since", "2026-01-01", "--cursor", cursor], ["--since", "soon"], folder):
        assert cli.errors("contacts", "changes", *wrong, exit_code=2)
    found = cli.json("contacts", "changes", "--since", "2026-06-15")
    assert [each["change"] for each in found["changes"]] == ["added", "added"]
    assert cli.json("contacts", "changes", "--since", "2026-06-16")["changes"] == []


def test_a_run_says_whom_it_changed_and_how(cli: StoreCli) -> None:
    people = write_people(cli.folder, range(1, 5), "news")
    do(cli, "contacts", "import", people, "--create-groups")
    do(cli, "deactivate", "--where", "id <= 2", "--confirm", 2)
    do(cli, "reactivate", 2, "--confirm", "c2@x.no")
    do(cli, "groups", "remove", "news", "c3@x.no")

    def told(run: int) -> list[tuple[object, ...]]:
        rows = cli.json("runs", "contacts", run)["contacts"]
        return [(each["contact"], each["change"], each["group"], each["origin"]) for each in rows]

    joined = [(1, "joined", "news", None)]  # the other one has left since
    assert told(1) == [*((n, "added", None, None) for n in range(1, 5)), *joined]
    assert told(2) == [(1, "deactivated", None, "bulk"), (2, "deactivated", None, "bulk")]
    assert told(3) == [(2, "ended", None, "bulk"), (2, "reactivated", None, None)]
    assert told(4) == [(3, "left", "news", None)]
    assert cli.errors("runs", "contacts", 99, exit_code=1)
    by_run = ("contacts", "list", "--fields", "id,deactivation_run,reactivated", "--where")
    (found,) = cli.json(*by_run, "deactivation_run = 2")["contacts"]
    assert found == {"id": 1, "deactivation_run": [2], "reactivated": None}
    (found,) = cli.json(*by_run, "reactivated exists")["contacts"]
    assert (found["id"], found["reactivated"]) == (2, "2026-06-15T12:00:00Z")
    assert len(cli.json("runs", "list", "--since", "2026-06-15")["runs"]) == 4
    assert cli.json("runs", "list", "--since", "2026-06-16")["runs"] == []


def storm(cli: StoreCli, kills: int, seed: int) -> None:
    """Kill -9 whoever works and whoever follows; nothing is lost, and nothing told out of order."""
    chance = random.Random(seed)
    todo = steps(cli.folder, chance)
    follower, cursor, landed, number = Follower(), cli.folder / "cursor", 0, 0
    cli("contacts", "import", write_people(cli.folder, range(1, 400), "news"), "--create-groups")
    named = ["--config", cli.folder / "contactctl.yaml", "--database", cli.url]
    while landed < kills:
        number += 1
        output = cli.folder / f"out{number}"
        step = confirmed(cli, next(todo))
        works = start_cli([*step, *named], batch_contacts=2)
        follows = start_cli([*FOLLOW, cursor, *named], output=output)
        for process in chance.sample([works, follows], 2):
            process.join(chance.uniform(0.02, 0.4))
            if process.exitcode is None:
                process.kill()
                landed += exit_code_of(process) == KILLED
        cli("sweep", "runs", "--yes")
        # what was cut off in its last line comes again
        lines = output.read_text().splitlines(keepends=True) if output.exists() else []
        follower.take(line for line in lines if line.endswith("}\n"))
    follow(cli, follower)
    require_followed(cli.store, follower, [1, 2])
    assert follower.numbers == sorted(follower.numbers)
    with cli.store.reading() as connection:
        told = connection.execute(select(func.count()).select_from(tables.change)).scalar_one()
    assert told > 1


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_at_random_moments_all_is_told(cli: StoreCli) -> None:
    storm(cli, kills=5, seed=4)


@pytest.mark.torture
@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_a_thousand_times_all_is_told(cli: StoreCli) -> None:
    storm(cli, kills=1000, seed=1000)
