"""On Postgres a fresh table, thought of as empty, is not read from end to end for every row."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, text

from contactctl.domain.policies import Limits, ResponsePolicy, Threshold
from contactctl.domain.responses import Category
from contactctl.operations.thresholds import plan_thresholds
from contactctl.store import tables
from contactctl.store.plans import next_batch
from contactctl.store.store import Store, open_store
from contactctl.store.threshold_runs import threshold_deactivate
from helpers.contacts import seed_contacts
from helpers.sessions import NOW, make_session

CONTACTS = 2_000


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    opened = open_store(postgres_url)
    yield opened
    opened.close()


def bounce_everybody(connection: Connection) -> None:
    row = {
        "category": Category.INVALID_ADDRESS,
        "counts": True,
        "not_counted": "",
        "status": "5.1.1",
        "diagnostic": "",
        "rule": "",
        "recipient": "",
        "channel": "email",
        "group_id": 0,
        "occurred_at": NOW - timedelta(days=1),
        "recorded_at": NOW,
        "source": "",
        "run_id": 1,
    }
    rows = [row | {"contact_id": n + 1, "source_key": str(n)} for n in range(CONTACTS)]
    connection.execute(insert(tables.response), rows)


def rows_scanned(connection: Connection, table: str) -> int:
    """By this transaction so far, without an index."""
    query = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = :table"
    return int(connection.execute(text(query), {"table": table}).scalar_one())


def test_a_threshold_batch_looks_its_own_deactivations_up(postgres_store: Store) -> None:
    seed_contacts(postgres_store, CONTACTS)
    with postgres_store.writing() as connection:
        bounce_everybody(connection)
        connection.execute(text("ANALYZE"))  # while nobody is deactivated
    policy = ResponsePolicy(thresholds={Category.INVALID_ADDRESS: Threshold(1)})
    limits = Limits(max_contacts=CONTACTS, max_percent=100)
    run = plan_thresholds(make_session(postgres_store, responses=policy, limits=limits)).run
    assert run is not None

    with postgres_store.writing(snapshot=True) as connection:
        batch = next_batch(connection, run.id, 0, CONTACTS)
        assert batch is not None
        assert threshold_deactivate(connection, run, batch, NOW) == CONTACTS
        assert rows_scanned(connection, "deactivation") <= 2 * CONTACTS
