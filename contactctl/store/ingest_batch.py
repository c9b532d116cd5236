"""One batch of an ingest: staged, matched to contacts, and put into place as sets."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, TextClause, bindparam, text

from contactctl.store.temporary import Staged, fill, temporary_tables
from contactctl.store.types import UtcInstant

_RESPONSE_COLUMNS = """
    email_key text, other_key text, source_key text, category text, counts boolean,
    not_counted text, held boolean, status text, diagnostic text, rule text, recipient text,
    channel text, group_id integer, group_folded text, occurred_at timestamp with time zone,
    source text, contact_id bigint"""
_ACTIVITY_COLUMNS = """
    email_key text PRIMARY KEY, delivered timestamp with time zone,
    opened timestamp with time zone, clicked timestamp with time zone,
    latest timestamp with time zone"""

_MATCH = (
    """UPDATE ingest_row SET contact_id = (
        SELECT c.id FROM contact c WHERE c.email_key = ingest_row.email_key)""",
    """UPDATE ingest_row SET contact_id = (
        SELECT c.id FROM contact c WHERE c.email_key = ingest_row.other_key)
    WHERE contact_id IS NULL AND other_key IS NOT NULL""",
)
# in the order of the keys: two ingests at once never wait for each other in a circle
_RECORD = """
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, held, status,
        diagnostic, rule, recipient, channel, group_id, occurred_at, recorded_at, source, run_id)
    SELECT contact_id, source_key, category, counts, not_counted, held, status,
        diagnostic, rule, recipient, channel, group_id, occurred_at, :now, source, :run_id
    FROM ingest_row WHERE contact_id IS NOT NULL ORDER BY contact_id, source_key
    ON CONFLICT DO NOTHING RETURNING category, counts"""
_KEEP_UNMATCHED = """
    INSERT INTO unmatched_response (email_key, source_key, category, counts, not_counted, status,
        diagnostic, rule, recipient, channel, group_folded, occurred_at, recorded_at, source,
        run_id)
    SELECT email_key, source_key, category, counts, not_counted, status,
        diagnostic, rule, recipient, channel, group_folded, occurred_at, :now, source, :run_id
    FROM ingest_row WHERE contact_id IS NULL ORDER BY email_key, source_key
    ON CONFLICT DO NOTHING RETURNING category, counts"""
_NOTE_CONCERNED = """
    INSERT INTO plan_item (contact_id, run_id, revision)
    SELECT DISTINCT r.contact_id, r.run_id, 0
    FROM ingest_row s
    JOIN response r ON r.contact_id = s.contact_id AND r.source_key = s.source_key
    WHERE r.run_id = :run_id AND r.counts
    ON CONFLICT DO NOTHING"""

_IS_LATER = """
    s.delivered > contact.last_emailed OR (s.delivered IS NOT NULL AND contact.last_emailed IS NULL)
    OR s.opened > contact.last_opened OR (s.opened IS NOT NULL AND contact.last_opened IS NULL)
    OR s.clicked > contact.last_clicked OR (s.clicked IS NOT NULL AND contact.last_clicked IS NULL)
    OR s.latest > contact.delivered_at OR contact.delivered_at IS NULL"""
_TAKE_LATER = """
    last_emailed = CASE WHEN s.delivered <= contact.last_emailed THEN contact.last_emailed
        ELSE COALESCE(s.delivered, contact.last_emailed) END,
    last_opened = CASE WHEN s.opened <= contact.last_opened THEN contact.last_opened
        ELSE COALESCE(s.opened, contact.last_opened) END,
    last_clicked = CASE WHEN s.clicked <= contact.last_clicked THEN contact.last_clicked
        ELSE COALESCE(s.clicked, contact.last_clicked) END,
    delivered_at = CASE WHEN s.latest <= contact.delivered_at THEN contact.delivered_at
        ELSE s.latest END,
    revision = contact.revision + 1"""
_UPDATE_CONTACTS = {
    "postgresql": f"""UPDATE contact SET {_TAKE_LATER}
        FROM ingest_activity s WHERE contact.email_key = s.email_key AND ({_IS_LATER})""",
    # the unique index must be what finds the contact, not a walk through all of them
    "sqlite": f"""UPDATE contact INDEXED BY sqlite_autoindex_contact_1 SET {_TAKE_LATER}
        FROM ingest_activity s WHERE contact.email_key = s.email_key AND ({_IS_LATER})""",
}


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Staged rows, with the columns of the temporary tables in their order.

    A response ends with an empty contact id; `other_key` is tried where no contact has
    `email_key`. No two activities have the same key; an instant is None where nothing happened.
    """

    responses: Sequence[Staged] = ()
    activities: Sequence[Staged] = ()


@dataclass(frozen=True, slots=True)
class RecordedCounts:
    """What became of responses. Unmatched ones and those not counted are recorded as well."""

    recorded: int = 0
    duplicates: int = 0
    unmatched: int = 0
    not_counted: int = 0
    by_category: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "RecordedCounts") -> "RecordedCounts":
        return RecordedCounts(
            self.recorded + other.recorded,
            self.duplicates + other.duplicates,
            self.unmatched + other.unmatched,
            self.not_counted + other.not_counted,
            self.by_category + other.by_category,
        )


def record_batch(
    connection: Connection, run_id: int, batch: EventBatch, now: datetime
) -> RecordedCounts:
    """Record what is new, note the contacts concerned in the run's plan, update last dates.

    What was recorded before, by whomever, is a duplicate and stays as it is.
    """
    definitions = {"ingest_row": _RESPONSE_COLUMNS, "ingest_activity": _ACTIVITY_COLUMNS}
    with temporary_tables(connection, definitions):
        fill(connection, "ingest_row", batch.responses)
        fill(connection, "ingest_activity", batch.activities)
        counts = _record_responses(connection, run_id, now) if batch.responses else RecordedCounts()
        if batch.activities:
            connection.execute(text(_UPDATE_CONTACTS[connection.dialect.name]))
    return counts


def _record_responses(connection: Connection, run_id: int, now: datetime) -> RecordedCounts:
    for statement in _MATCH:
        connection.execute(text(statement))
    staged = int(connection.execute(text("SELECT count(*) FROM ingest_row")).scalar_one())
    matched = _counted(connection.execute(_bound(_RECORD, run_id, now)))
    unmatched = _counted(connection.execute(_bound(_KEEP_UNMATCHED, run_id, now)))
    connection.execute(text(_NOTE_CONCERNED), {"run_id": run_id})
    both = matched + unmatched
    recorded = both.total()
    return RecordedCounts(
        recorded=recorded,
        duplicates=staged - recorded,
        unmatched=unmatched.total(),
        not_counted=sum(number for (_, counts), number in both.items() if not counts),
        by_category=_by_category(both),
    )


def _bound(statement: str, run_id: int, now: datetime) -> TextClause:
    return text(statement).bindparams(
        bindparam("now", now, type_=UtcInstant()), bindparam("run_id", run_id)
    )


def _counted(rows: Iterable[Sequence[object]]) -> Counter[tuple[str, bool]]:
    """Number of new rows by (category, counts)."""
    return Counter((str(row[0]), bool(row[1])) for row in rows)


def _by_category(counted: Counter[tuple[str, bool]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (category, _), number in counted.items():
        totals[category] += number
    return totals
