"""Ingests in processes of their own: killed with -9, and two at once, on both databases."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from contactctl.store import tables
from contactctl.store.database.store import Store
from helpers.processes import KILLED, Death, Moment, barrier, exit_code_of, start_cli
from helpers.responses import insert_contact, open_deactivations, statuses
from helpers.thorough import moments

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9")

CONFIG = """
thresholds: {transient: {count: 2, days_apart: 0}, blocked: {count: 1}}
limits: {max_percent: 100}
"""
CONTACTS = 7
DUE = [
    *((contact, 0, "transient") for contact in (1, 2, 3, 4)),
    (5, 0, "blocked"),
    (7, 0, ""),
]


def event(contact: int, category: str, identifier: str) -> dict[str, Any]:
    return {
        "email": f"c{contact}@example.com",
        "category": category,
        "id": identifier,
        "occurred_at": "2026-06-01T00:00:00Z",
    }


EVENTS = [
    *(event(contact, "transient", "first") for contact in (1, 2, 3, 4, 6)),
    *(event(contact, "transient", "second") for contact in (1, 2, 3, 4)),
    event(5, "blocked", "only"),
    event(99, "blocked", "of nobody"),
    event(6, "delivered", "x"),
    event(7, "unsubscribed", "left"),
    event(7, "delivered", "m"),
    event(7, "clicked", "k"),
]
MATCHED = 11
PADDING = 800_000


def write(
    folder: Path, events: list[dict[str, Any]], name: str = "events.jsonl", padding: int = 0
) -> Path:
    """`padding` bytes in each line make a file so large that a process of its own reads it."""
    path = folder / name
    padded = [each | {"x": " " * padding} for each in events] if padding else events
    path.write_text("".join(json.dumps(each) + "\n" for each in padded))
    (folder / "config.yaml").write_text(CONFIG)
    return path


def ingest_args(path: Path, url: str) -> list[object]:
    config = path.parent / "config.yaml"
    return ["responses", "ingest", path, "--config", config, "--database", url]


def add_contacts(store: Store) -> None:
    with store.writing() as connection:
        for contact_id in range(1, CONTACTS + 1):
            insert_contact(connection, contact_id)


def start_over(store: Store) -> None:
    """The contacts as they were, and nothing else."""
    with store.writing() as connection:
        for table in (
            tables.response,
            tables.unmatched_response,
            tables.deactivation,
            tables.plan_item,
            tables.response_rate,
            tables.unjudged_hour,
            tables.delivery,
            tables.delivery_rate,
            tables.click,
            tables.run,
        ):
            connection.execute(delete(table))
        values = {"status": "active", "revision": 0, "mails_received": 0, "mails_since_engaged": 0}
        connection.execute(update(tables.contact).values(values))


def count(store: Store, table: Any) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def require_all_recorded_once(store: Store) -> None:
    assert count(store, tables.response) == MATCHED
    assert count(store, tables.unmatched_response) == 1
    assert count(store, tables.plan_item) == 0
    with store.reading() as connection:
        assert open_deactivations(connection) == DUE
        inactive = {each for each, status in statuses(connection).items() if status == "inactive"}
        held = connection.execute(select(tables.response.c.held).distinct()).scalars().all()
        mails = tables.contact.c.mails_received
        received = connection.execute(select(tables.contact.c.id, mails).where(mails > 0)).all()
        delivered = connection.execute(select(tables.delivery_rate.c.deliveries)).scalars().all()
    assert inactive == {1, 2, 3, 4, 5, 7}
    assert held == [False]
    assert sorted(map(tuple, received)) == [(6, 1), (7, 1)]
    assert delivered == [2]
    assert count(store, tables.click) == 0


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.parametrize(
    ("moment", "padding"),
    [
        pytest.param("before a commit", 0, marks=pytest.mark.torture),
        ("after a commit", 0),
        ("after a commit", PADDING),
    ],
    ids=["before a commit", "after a commit", "after a commit, read aside"],
)
def test_killed_at_every_commit_and_run_again(
    store: Store, store_url: str, tmp_path: Path, moment: Moment, padding: int
) -> None:
    args = ingest_args(write(tmp_path, EVENTS, padding=padding), store_url)
    add_contacts(store)
    for number in moments(sample=24 if padding else 9):
        start_over(store)
        exit_code = exit_code_of(start_cli(args, death=Death(moment, number)))
        if exit_code == KILLED:
            assert exit_code_of(start_cli(args)) == 0
        require_all_recorded_once(store)
        if exit_code != KILLED:
            break
    assert exit_code == 0
    assert number > 5  # it did come that often


def test_the_same_file_by_two_processes_at_once(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    args = ingest_args(write(tmp_path, EVENTS), store_url)
    add_contacts(store)
    together = barrier(2)
    processes = [start_cli(args, together=together) for _ in range(2)]
    assert [exit_code_of(process) for process in processes] == [0, 0]
    require_all_recorded_once(store)


def test_two_ingests_crossing_a_threshold_together_deactivate_once(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    add_contacts(store)
    halves = [
        write(tmp_path, [event(contact, "transient", name) for contact in (1, 2, 3, 4)], name)
        for name in ("first", "second")
    ]
    together = barrier(2)
    processes = [start_cli(ingest_args(half, store_url), together=together) for half in halves]
    assert [exit_code_of(process) for process in processes] == [0, 0]
    with store.reading() as connection:
        assert open_deactivations(connection) == DUE[:4]
    assert count(store, tables.deactivation) == 4


def test_ingests_and_sweeps_at_once_stay_within_the_daily_limit(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    """Whoever comes first spends of it; what is over it waits as one plan."""
    with store.writing() as connection:
        for contact_id in range(1, 17):
            insert_contact(connection, contact_id)
    quarters = [
        write(tmp_path, [event(contact, "blocked", "k") for contact in range(first, first + 4)], at)
        for first, at in ((1, "a"), (5, "b"), (9, "c"), (13, "d"))
    ]
    config = tmp_path / "config.yaml"
    config.write_text(
        "thresholds: {blocked: {count: 1}}\n"
        "limits: {max_percent: 100, per_day: 9}\nincident_guard: {more_than: 100}\n"
    )
    sweep = ["sweep", "thresholds", "--yes", "--config", config, "--database", store_url]
    for commands in (
        [*(ingest_args(each, store_url) for each in quarters[:2]), sweep, sweep],
        [*(ingest_args(each, store_url) for each in quarters[2:]), sweep, sweep],
    ):
        together = barrier(len(commands))
        processes = [start_cli(each, together=together) for each in commands]
        codes = [exit_code_of(process) for process in processes]
        assert set(codes[:2]) <= {0, 4}, codes
        assert set(codes[2:]) <= {0, 4, 6}, codes
    with store.reading() as connection:
        deactivated = open_deactivations(connection)
        plans = connection.execute(
            select(tables.run.c.planned).where(tables.run.c.state == "planned")
        )
        waiting = plans.scalars().all()
    assert count(store, tables.response) == 16
    assert len(deactivated) == 8
    assert waiting in ([4], [8])


def test_an_ingest_and_a_sweep_at_once_deactivate_once(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    add_contacts(store)
    path = write(tmp_path, EVENTS)
    sweep = ["sweep", "thresholds", "--yes", "--config", path.parent / "config.yaml"]
    together = barrier(2)
    processes = [
        start_cli(ingest_args(path, store_url), together=together),
        start_cli([*sweep, "--database", store_url], together=together),
    ]
    codes = [exit_code_of(process) for process in processes]
    assert codes[0] == 0
    assert codes[1] in (0, 6)
    require_all_recorded_once(store)
