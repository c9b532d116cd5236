"""What Postgres knows of a store just filled, restored or grown; plans read each table once."""

import pytest
import sqlalchemy as sa

from contactctl.operations.criteria import CriteriaSource, preview, select_contacts
from contactctl.store.database.store import Store, open_store
from helpers.contacts import seed_contacts
from helpers.sessions import make_session

CONTACTS = 3_000
TWO_BOUNCES = CriteriaSource(where=["responses.transient >= 2"])
_RESPONSES = """
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, status, diagnostic,
        rule, recipient, channel, group_id, occurred_at, recorded_at, source, run_id)
    SELECT id, n::text, 'transient', true, '', '4.2.2', 'full', 'mailbox-full', email, 'email', 0,
        created, created, 'made', 1 FROM contact, generate_series(1, 2) AS n"""
# as a dump leaves them that was restored before 18: the size is known, what is in them is not
_FORGET = (
    "DELETE FROM pg_statistic WHERE starelid = CAST(:name AS regclass)",
    "SELECT pg_stat_reset_single_table_counters(CAST(:name AS regclass))",
)


def forget(store: Store) -> None:
    with store.writing() as connection:
        for name in ("contact", "response"):
            for statement in _FORGET:
                connection.execute(sa.text(statement), {"name": name})


def is_known(store: Store, table: str) -> bool:
    known = sa.text("SELECT count(*) FROM pg_stats WHERE tablename = :table")
    with store.reading() as connection:
        return bool(connection.execute(known, {"table": table}).scalar())


def plan_of_preview(store: Store) -> str:
    """The plan of the statement that counts, as the preview sends it."""
    sent: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, values: object, *_more: object) -> None:
        sent.append((statement, values))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    session = make_session(store)
    preview(session, select_contacts(session, TWO_BOUNCES))
    sa.event.remove(store.engine, "before_cursor_execute", note)
    statement, values = next(each for each in sent if "count(*) FILTER" in each[0])
    with store.reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
        return "\n".join(row[0] for row in rows)


@pytest.fixture
def filled(postgres_url: str):
    store = open_store(postgres_url)
    seed_contacts(store, CONTACTS)
    with store.writing() as connection:
        connection.execute(sa.text(_RESPONSES))
    yield store
    store.close()


def test_what_fills_a_table_lets_postgres_know(filled: Store) -> None:
    forget(filled)
    with filled.writing() as connection:
        connection.execute(sa.text("UPDATE contact SET source = 'x' WHERE id = 1"))
    assert not is_known(filled, "contact")
    with filled.writing() as connection:
        connection.execute(sa.text("UPDATE contact SET source = 'x'"))
    assert is_known(filled, "contact")
    assert is_known(filled, "response")


def test_a_preview_reads_each_table_once_however_young_the_store_is(filled: Store) -> None:
    forget(filled)
    assert "Nested Loop" in plan_of_preview(filled)
    open_store(filled.engine.url.render_as_string()).close()
    assert "Nested Loop" not in plan_of_preview(filled)


def test_a_table_grown_fourfold_is_looked_at_again(filled: Store) -> None:
    size = sa.text("SELECT relpages FROM pg_class WHERE relname = 'contact'")
    with filled.reading() as connection:
        before = connection.execute(size).scalar_one()
    seed_contacts(filled, CONTACTS * 4, after=CONTACTS)
    with filled.reading() as connection:
        assert connection.execute(size).scalar_one() > 4 * before
