"""The threshold sweep beside the same sweep written by hand in SQL, on the same database.

    python benchmarks/thresholds_sweep.py [RESPONSES ...]        default: 1000000

A fifth as many contacts as responses; two in a hundred contacts are due. By hand means: one
transaction that finds who is due, with window and watermarks, inserts the deactivations and updates
the contacts. Everything is taken back in between. To reach: at most 1.5x the time by hand, flat
memory. Postgres is CONTACTCTL_TEST_POSTGRES, or the one of the test extra.
"""

import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, bindparam, text

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.domain.policies import Limits, ResponsePolicy, Threshold  # noqa: E402
from contactctl.domain.responses import Category  # noqa: E402
from contactctl.operations.thresholds import sweep_thresholds  # noqa: E402
from contactctl.store.database.migrate import create_store  # noqa: E402
from contactctl.store.database.store import Store  # noqa: E402
from contactctl.store.types import UtcInstant  # noqa: E402
from helpers import databases  # noqa: E402
from helpers.postgres_server import PostgresServer  # noqa: E402
from helpers.sessions import make_session  # noqa: E402

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
THRESHOLDS = {
    Category.INVALID_ADDRESS: Threshold(1),
    Category.SPAM_COMPLAINT: Threshold(1),
    Category.TRANSIENT: Threshold(5, MONTH, days_apart=0),
    Category.BLOCKED: Threshold(5, MONTH, days_apart=0),
}
CONTACTS = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :contacts)
    INSERT INTO contact (id, email, email_key, email_domain, created, updated)
    SELECT n, 'c' || n || '@example.org', 'c' || n || '@example.org', 'example.org', :old, :old
    FROM numbers"""
# every response five days before or after the next; of the contacts n % 100: 1 is due for
# transient, 2 for invalid-address, the others have had a few bounces, most of them long ago
RESPONSES = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :contacts),
    times(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM times WHERE k < 4)
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, status,
        diagnostic, rule, recipient, channel, group_id, occurred_at, recorded_at, source, run_id)
    SELECT n, 'sendgrid:' || n || '-' || k,
        CASE WHEN n % 100 = 2 AND k = 0 THEN 'invalid-address'
             WHEN (n + k) % 3 = 0 AND n % 100 <> 1 THEN 'blocked' ELSE 'transient' END,
        :yes, '', '4.2.2', 'mailbox is full, try again later please', 'mailbox-full',
        'c' || n || '@example.org', 'email', 0,
        CASE WHEN n % 100 = 1 OR k < 2 THEN :recent ELSE :old END, :old, 'events.jsonl', 1
    FROM numbers, times"""
DUE_BY_HAND = """
    INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)
    SELECT r.contact_id, 0, 1, r.category, 'threshold', :now
    FROM response r JOIN contact c ON c.id = r.contact_id
    WHERE r.counts AND NOT r.held AND r.channel = 'email'
      AND (r.category IN ('invalid-address', 'spam-complaint') OR r.occurred_at >= :since)
      AND (c.reactivated_at IS NULL OR r.occurred_at > c.reactivated_at)
      AND (r.category IN ('invalid-address', 'spam-complaint') OR c.delivered_at IS NULL
           OR r.occurred_at > c.delivered_at)
      AND NOT EXISTS (SELECT 1 FROM deactivation d WHERE d.contact_id = r.contact_id
          AND d.group_id = 0 AND d.category = r.category AND d.ended_at IS NULL)
    GROUP BY r.contact_id, r.category
    HAVING count(*) >= CASE WHEN r.category IN ('transient', 'blocked') THEN 5 ELSE 1 END"""
UPDATE_BY_HAND = """
    UPDATE contact SET status = 'inactive' WHERE status = 'active' AND id IN (
        SELECT contact_id FROM deactivation WHERE ended_at IS NULL)"""


def seed(store: Store, responses: int) -> None:
    instants = {"old": NOW - timedelta(days=400), "recent": NOW - timedelta(days=5)}
    with store.writing() as connection:
        for statement in (CONTACTS, RESPONSES):
            used = {name: value for name, value in instants.items() if f":{name}" in statement}
            bound = text(statement).bindparams(
                bindparam("contacts", responses // 5),
                *(bindparam(name, value, type_=UtcInstant()) for name, value in used.items()),
                *([bindparam("yes", True)] if ":yes" in statement else []),
            )
            connection.execute(bound)
    if store.dialect == "postgresql":
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("VACUUM ANALYZE")
            )


def by_hand(store: Store) -> float:
    begin = time.perf_counter()
    with store.writing() as connection:
        bound = text(DUE_BY_HAND).bindparams(
            bindparam("now", NOW, type_=UtcInstant()),
            bindparam("since", NOW - MONTH, type_=UtcInstant()),
        )
        connection.execute(bound)
        connection.execute(text(UPDATE_BY_HAND))
    return time.perf_counter() - begin


def by_contactctl(store: Store, expected: int) -> float:
    policy = ResponsePolicy(THRESHOLDS, reset_on_delivery=True)
    limits = Limits(10**9, Decimal(100))
    session = make_session(store, now=NOW, responses=policy, limits=limits)
    begin = time.perf_counter()
    result = sweep_thresholds(session)
    assert result.changed == expected, result
    return time.perf_counter() - begin


def take_back(store: Store) -> int:
    """Everybody active again; how many were not."""
    with store.writing() as connection:
        connection.execute(text("DELETE FROM deactivation"))
        connection.execute(text("DELETE FROM routine"))  # nobody was looked at
        number = _all_active(connection)
    if store.dialect == "postgresql":
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("VACUUM ANALYZE")
            )
    return number


def _all_active(connection: Connection) -> int:
    statement = "UPDATE contact SET status = 'active' WHERE status = 'inactive'"
    return connection.execute(text(statement)).rowcount


def report(store: Store, responses: int) -> None:
    seed(store, responses)
    hand, ours = [], []
    for _ in range(3):
        hand.append(by_hand(store))
        expected = take_back(store)
        ours.append(by_contactctl(store, expected))
        assert take_back(store) == expected
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{responses:>10,} {store.dialect:10} due {expected:,}   by hand {min(hand):6.2f} s"
        f"   contactctl {min(ours):6.2f} s   ratio {min(ours) / min(hand):4.2f}"
        f"   peak {peak:4.0f} MB",
        flush=True,
    )


def main(sizes: list[int]) -> None:
    server = PostgresServer()
    named = os.environ.get("CONTACTCTL_TEST_POSTGRES")
    try:
        if not named:
            server.start()
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                report(create_store(f"sqlite:///{folder}/contacts.db"), size)
            url = databases.create_database(named or server.url("postgres"), "template0")
            report(create_store(url), size)
    finally:
        if not named:
            server.stop()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000_000])
