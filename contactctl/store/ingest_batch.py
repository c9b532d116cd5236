"""One batch of an ingest: staged, matched to contacts, and put into place as sets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.policies import ResponsePolicy
from contactctl.domain.responses import FORMER_ADDRESS, RESUBSCRIBED, UNSUBSCRIBED, WISHES, Category
from contactctl.domain.sums import Summed
from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.store.addresses import former_among, ids_of_keys
from contactctl.store.burst_rates import note_hours
from contactctl.store.engagement import record_activities, take_back_deliveries
from contactctl.store.predicates import run_sql
from contactctl.store.staged import Staged
from contactctl.store.temporary import fill, join_by_index, temporary_tables
from contactctl.store.unsubscribes import Obeyed, obey

# the columns that staged rows have, in their order
_RESPONSE_COLUMNS = """
    contact_id bigint, of_former boolean,
    email_key text, other_key text, source_key text, category text, counts boolean,
    not_counted text, status text, diagnostic text, rule text, evidence text,
    through boolean, mentions_others boolean, recipient text,
    channel text, group_folded text, host text, message bigint,
    occurred_at timestamp with time zone, source text"""

# what the person did counts, to whatever address of theirs it came
_OF_THE_PERSON = frozenset((Category.SPAM_COMPLAINT.value, *WISHES))
_CATEGORY, _MESSAGE = 3, -3  # where a staged row has them
_MATCHED = f"""
    SELECT s.*, COALESCE(g.id, {SYSTEM_WIDE}) AS group_id
    FROM ingest_response s
    LEFT JOIN "group" g ON g.name_folded = s.group_folded"""
_HAPPENED = "CASE WHEN occurred_at <= :now THEN occurred_at ELSE :now END"
# what a refusal of the sender said, an id and a status; of all others nothing
_REFUSED = "CASE WHEN not_counted = 'sender-side' THEN rule || ' ' || status ELSE '' END AS refused"
# in the order of the keys: two ingests at once never wait for each other in a circle
_RECORD = f"""
    INSERT INTO response (contact_id, source_key, category, counts, not_counted, status,
        diagnostic, rule, evidence, through, mentions_others, recipient, channel, group_id, host,
        message, occurred_at, recorded_at, source, run_id)
    SELECT contact_id, source_key, category, counts AND NOT of_former,
        CASE WHEN of_former THEN '{FORMER_ADDRESS}' ELSE not_counted END, status,
        diagnostic, rule, evidence, through, mentions_others, recipient, channel, group_id, host,
        message, {_HAPPENED}, :now, source, :run_id
    FROM matched WHERE contact_id IS NOT NULL ORDER BY contact_id, source_key
    ON CONFLICT DO NOTHING RETURNING contact_id, not_counted, {{hour}}, category, counts,
        {_REFUSED}"""
_KEEP_UNMATCHED = f"""
    INSERT INTO unmatched_response (email_key, source_key, category, counts, not_counted,
        status, diagnostic, rule, evidence, through, mentions_others, recipient, channel,
        group_folded, host, message, occurred_at, recorded_at, source, run_id)
    SELECT email_key, source_key, category, counts, not_counted, status,
        diagnostic, rule, evidence, through, mentions_others, recipient, channel, group_folded,
        host, message, {_HAPPENED}, :now, source, :run_id
    FROM matched WHERE contact_id IS NULL ORDER BY email_key, source_key
    ON CONFLICT DO NOTHING RETURNING {{hour}}, category, counts, {_REFUSED}"""
_HOUR_ON_SQLITE = "substr(occurred_at, 1, 13) AS hour"
_HOUR_ON_POSTGRES = "date_trunc('hour', occurred_at, 'UTC') AS hour"
_RECORD_ALL_ON_POSTGRES = f"""
    WITH matched AS MATERIALIZED ({_MATCHED}),
    recorded AS ({_RECORD.format(hour=_HOUR_ON_POSTGRES)}),
    kept AS ({_KEEP_UNMATCHED.format(hour=_HOUR_ON_POSTGRES)}),
    concerned AS (
        INSERT INTO plan_item (contact_id, run_id, revision)
        SELECT DISTINCT contact_id, :run_id, 0 FROM recorded
        WHERE counts OR not_counted IN ('echo', 'sender-side')
        ON CONFLICT DO NOTHING),
    changed AS (
        INSERT INTO unjudged_hour (hour)
        SELECT hour FROM recorded WHERE counts UNION SELECT hour FROM kept WHERE counts
        ON CONFLICT DO NOTHING)
    SELECT true, category, counts, refused, count(*) FROM recorded GROUP BY 2, 3, 4
    UNION ALL SELECT false, category, counts, refused, count(*) FROM kept GROUP BY 2, 3, 4"""
_NOTE_CONCERNED = """
    INSERT INTO plan_item (contact_id, run_id, revision)
    SELECT DISTINCT r.contact_id, r.run_id, 0
    FROM matched m
    JOIN response r ON r.contact_id = m.contact_id AND r.source_key = m.source_key
    WHERE r.run_id = :run_id AND (r.counts OR r.not_counted IN ('echo', 'sender-side'))
    ON CONFLICT DO NOTHING"""

_WISHED_BY = """
    SELECT DISTINCT r.contact_id, r.source_key, r.group_id FROM ingest_response s
    JOIN response r ON r.contact_id = s.contact_id AND r.source_key = s.source_key
    WHERE s.category = '{wish}' AND r.run_id = {run_id}"""
_TELL_RESUBSCRIBED = f"""
    INSERT INTO change (run_id, kind, contact_id, group_id, at)
    SELECT DISTINCT CAST(:run_id AS integer), '{ChangeKind.RESUBSCRIBED}', told.contact_id,
        told.group_id, :now
    FROM ({{told}}) told"""

_CAME_BACK = """
    SELECT s.contact_id FROM ingest_response s
    JOIN delivery d ON d.contact_id = s.contact_id AND d.source_hash = s.message
    WHERE s.message <> 0"""

_Numbers = Counter[tuple[str, bool, str]]
"""Responses by category, whether they count, and what a refusal of the sender said."""


@dataclass(frozen=True, slots=True)
class RecordedCounts(Summed):
    """What became of responses. Unmatched ones and those not counted are recorded as well.

    `refusals` counts those that are about the sender, by rule and status; `obeyed` says what
    followed from unsubscribes, which are recorded, and not among those not counted.
    """

    recorded: int = 0
    duplicates: int = 0
    unmatched: int = 0
    not_counted: int = 0
    by_category: Counter[str] = field(default_factory=Counter)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    obeyed: Obeyed = field(default_factory=Obeyed)

    @property
    def unsubscribes(self) -> int:
        return self.by_category[UNSUBSCRIBED]

    @property
    def resubscribes(self) -> int:
        return self.by_category[RESUBSCRIBED]


def record_batch(
    connection: sa.Connection,
    run_id: int,
    responses: Sequence[Staged],
    signs: Sequence[Staged],
    policy: ResponsePolicy,
    now: datetime,
) -> RecordedCounts:
    """Record what is new, do as people wish who unsubscribed, note the contacts concerned in the
    run's plan.

    A response is (email key, key to be tried where no contact has that, source key, category,
    counts, why not, status, diagnostic, rule, evidence, failed behind an alias, whether it may hold
    an address other than that of the email key, recipient, channel, folded group, receiving host,
    the mail's hash or 0, instant or None, source). What was recorded before, by whomever, is a
    duplicate and stays. A sign of life is (email key, instant or None, SignKind, hash of the mail
    or, where that is not known, of the source key).
    """
    join_by_index(connection)
    obeyed = Obeyed()
    if signs:
        ids = ids_of_keys(connection, {row[0] for row in signs})
        owned = [(ids[key], at, kind, hash_) for key, at, kind, hash_ in signs if key in ids]
        record_activities(connection, owned, policy.machine_click_seconds, now)
    with temporary_tables(connection, {"ingest_response": _RESPONSE_COLUMNS}):
        fill(connection, "ingest_response", _of_contacts(connection, responses))
        values = {"now": now, "run_id": run_id}
        matched, unmatched = _record(connection, values) if responses else (_Numbers(), _Numbers())
        if any(category == UNSUBSCRIBED for category, _, _ in matched):
            told = _wished(UNSUBSCRIBED, run_id)
            obeyed = obey(connection, told, policy.unsubscribes, now)
        if any(category == RESUBSCRIBED for category, _, _ in matched):
            told = _TELL_RESUBSCRIBED.format(told=_wished(RESUBSCRIBED, run_id))
            run_sql(connection, told, **values)
        if matched and any(row[_MESSAGE] for row in responses):
            take_back_deliveries(connection, _CAME_BACK, now)
    return replace(_counts(len(responses), matched, unmatched), obeyed=obeyed)


def _of_contacts(connection: sa.Connection, responses: Sequence[Staged]) -> list[Staged]:
    """The rows behind the contact that each is of, None for nobody, and whether it is about an
    address that the contact had before."""
    had_now = ids_of_keys(connection, {key for row in responses for key in row[:2] if key})
    of_nobody = {row[0] for row in responses if not (row[0] in had_now or row[1] in had_now)}
    had_before = former_among(connection, of_nobody)
    found = []
    for row in responses:
        owner = had_now.get(row[0]) or had_now.get(row[1])
        former = None if owner else had_before.get(row[0])
        is_about_address = former is not None and row[_CATEGORY] not in _OF_THE_PERSON
        found.append((owner or former, is_about_address, *row))
    return found


def _wished(wish: str, run_id: int) -> str:
    """SQL: the wishes of that kind that the batch has recorded, to whatever address they came."""
    return _WISHED_BY.format(wish=wish, run_id=run_id)


def _record(connection: sa.Connection, values: Mapping[str, object]) -> tuple[_Numbers, _Numbers]:
    """Record the staged responses; the new ones of contacts, and those of nobody."""
    if connection.dialect.name == "postgresql":
        return _record_on_postgres(connection, values)
    run_sql(connection, f"CREATE TEMPORARY TABLE matched AS {_MATCHED}")
    hours: set[str] = set()
    record, keep = (each.format(hour=_HOUR_ON_SQLITE) for each in (_RECORD, _KEEP_UNMATCHED))
    matched = _counted(run_sql(connection, record, **values), hours)
    unmatched = _counted(run_sql(connection, keep, **values), hours)
    note_hours(connection, [datetime.strptime(f"{hour}+0000", "%Y-%m-%d %H%z") for hour in hours])
    if matched:
        run_sql(connection, _NOTE_CONCERNED, **values)
    run_sql(connection, "DROP TABLE matched")
    return matched, unmatched


def _record_on_postgres(
    connection: sa.Connection, values: Mapping[str, object]
) -> tuple[_Numbers, _Numbers]:
    """All in one statement, so that no row has to come back."""
    both: tuple[_Numbers, _Numbers] = _Numbers(), _Numbers()
    recorded = run_sql(connection, _RECORD_ALL_ON_POSTGRES, **values)
    for is_matched, category, counts, refused, number in recorded:
        both[0 if is_matched else 1][category, counts, refused] = number
    return both


def _counted(new_rows: sa.CursorResult[*tuple[object, ...]], hours: set[str]) -> _Numbers:
    """How many there are by all but the first of their last columns; adds that to `hours`."""
    numbers = Counter(tuple(row[-4:]) for row in new_rows)
    hours.update(str(hour) for hour, _, counts, _ in numbers if counts)
    found = _Numbers()
    for (_, category, counts, refused), number in numbers.items():
        found[str(category), bool(counts), str(refused)] += number
    return found


def _counts(staged: int, matched: _Numbers, unmatched: _Numbers) -> RecordedCounts:
    both = matched + unmatched
    by_category: Counter[str] = Counter()
    refusals: Counter[tuple[str, str]] = Counter()
    for (category, _, refused), number in both.items():
        by_category[category] += number
        if refused:
            rule, _, status = refused.partition(" ")
            refusals[rule, status] += number
    return RecordedCounts(
        recorded=both.total(),
        duplicates=staged - both.total(),
        unmatched=unmatched.total(),
        not_counted=sum(
            number
            for (category, counts, _), number in both.items()
            if not counts and category not in WISHES
        ),
        by_category=by_category,
        refusals=refusals,
    )
