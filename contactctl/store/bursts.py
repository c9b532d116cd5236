"""Bursts of responses: held, or let go again, and what they had deactivated taken back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.bursts import (
    TAKEN_BACK,
    BurstKey,
    Incident,
    Rate,
    SharedBy,
    find_bursts,
    first_hour_needed,
    hour_of,
    hour_start,
)
from contactctl.domain.policies import IncidentGuard
from contactctl.domain.responses import Category
from contactctl.store import burst_rates, tables
from contactctl.store.predicates import run_sql
from contactctl.store.runs import get_run, update_run
from contactctl.store.staged import stored_instant
from contactctl.store.temporary import fill, refresh_statistics, temporary_tables

_incident = tables.incident
_response = tables.response
_unmatched = tables.unmatched_response

_REOPENED_HOURS = 14 * 24  # how long later deliveries can show that a burst was none

# the responses of the judged hours, each with the incident that its row of rates is in
_JUDGED = """
    SELECT r.{key} AS owner, r.source_key, q.incident_id AS number, r.category, r.recorded_at
    FROM judged_hour h
    CROSS JOIN {table} r {by_time}
    {joined}
    JOIN response_rate q ON q.hour = h.hour AND q.category = r.category AND q.domain = {domain}
        AND q.host = r.host AND q.rule = r.rule
    WHERE r.occurred_at >= h.hour AND r.occurred_at < {end}"""
# those to be held from now on, and those to be let go, of contacts and of nobody; found first, as
# SQLite would find them anew for each row that an UPDATE looks at
_FOUND = {
    "response": ("newly_held", "let_go"),
    "unmatched_response": ("newly_held_of_nobody", "let_go_of_nobody"),
}
_FOUND_COLUMNS = """owner {}, source_key text, number integer, category text,
    recorded_at timestamp with time zone, PRIMARY KEY (owner, source_key)"""
_TABLES = {
    "judged_hour": "hour timestamp with time zone",
    **dict.fromkeys(_FOUND["response"], _FOUND_COLUMNS.format("bigint")),
    **dict.fromkeys(_FOUND["unmatched_response"], _FOUND_COLUMNS.format("text")),
}
_FIND_NEW = """
    INSERT INTO {new} {judged}
        AND r.counts AND r.channel = 'email' AND NOT r.held AND r.incident_id IS NULL
        AND q.incident_id IS NOT NULL"""
_FIND_GONE = "INSERT INTO {gone} {judged} AND r.held AND q.incident_id IS NULL"
_HOLD = """
    UPDATE {table} SET held = true, incident_id = hit.number FROM {new} hit
    WHERE {table}.{key} = hit.owner AND {table}.source_key = hit.source_key"""
_NUMBERS = "SELECT number FROM newly_held UNION SELECT number FROM newly_held_of_nobody"
_LET_GO = """
    UPDATE {table} SET held = false, incident_id = NULL FROM {gone} hit
    WHERE {table}.{key} = hit.owner AND {table}.source_key = hit.source_key"""
_NOTE_CONCERNED = """
    INSERT INTO plan_item (contact_id, run_id, revision)
    SELECT DISTINCT owner, CAST(:run_id AS integer), 0 FROM {gone}
    WHERE true ON CONFLICT DO NOTHING"""

_ACTED = """
    SELECT DISTINCT d.contact_id, d.group_id, d.run_id, d.category
    FROM newly_held n
    JOIN deactivation d ON d.contact_id = n.owner AND d.category = n.category
    JOIN run ON run.id = d.run_id
    WHERE n.recorded_at <= d.started_at
        AND d.ended_at IS NULL AND d.origin = 'threshold' AND run.expires_at IS NULL"""
_IS_ACTED = """(contact_id, group_id, run_id, category)
    IN (SELECT contact_id, group_id, run_id, category FROM acted)"""
_BACK = """
    status = 'inactive' AND id IN (SELECT contact_id FROM acted WHERE group_id = 0)
        AND NOT EXISTS (SELECT 1 FROM deactivation d WHERE d.contact_id = contact.id
            AND d.group_id = 0 AND d.ended_at IS NULL)"""
_BACK_IN_GROUP = """
    state = 'inactive'
        AND (contact_id, group_id) IN (SELECT contact_id, group_id FROM acted)
        AND NOT EXISTS (SELECT 1 FROM deactivation d WHERE d.contact_id = membership.contact_id
            AND d.group_id = membership.group_id AND d.ended_at IS NULL)"""
_TELL = "INSERT INTO change (run_id, kind, at, contact_id, group_id, state)"
_TELL_REACTIVATED = "CAST(:run_id AS integer), 'reactivated', :now"
_TAKE_BACK = (
    f"""
    UPDATE deactivation SET ended_at = :now, ended_by_run_id = :run_id, taken_back = true
    WHERE contact_id IN (SELECT contact_id FROM acted) AND {_IS_ACTED}""",  # noqa: S608 (our own SQL)
    f"{_TELL} SELECT {_TELL_REACTIVATED}, id, 0, '' FROM contact WHERE {_BACK} ORDER BY id",  # noqa: S608
    f"UPDATE contact SET status = 'active', updated = :now WHERE {_BACK}",  # noqa: S608 (our own SQL)
    f"""{_TELL} SELECT {_TELL_REACTIVATED}, contact_id, group_id, 'follows'
    FROM membership WHERE {_BACK_IN_GROUP} ORDER BY contact_id, group_id""",  # noqa: S608
    f"UPDATE membership SET state = 'follows' WHERE {_BACK_IN_GROUP}",  # noqa: S608 (our own SQL)
    # one with other responses is looked at once more
    """INSERT INTO plan_item (contact_id, run_id, revision)
    SELECT DISTINCT contact_id, CAST(:run_id AS integer), 0 FROM acted
    WHERE true ON CONFLICT DO NOTHING""",
)
_LEAVE_PLANS = """
    DELETE FROM plan_item WHERE run_id IN (
        SELECT id FROM run WHERE kind = 'thresholds' AND state = 'planned')
    AND (contact_id, category) IN (SELECT owner, category FROM newly_held)"""
# of other responses such a contact may be due
_LOOK_AGAIN = """
    INSERT INTO plan_item (contact_id, run_id, revision)
    SELECT DISTINCT p.contact_id, CAST(:run_id AS integer), 0 FROM plan_item p
    WHERE p.run_id IN (SELECT id FROM run WHERE kind = 'thresholds' AND state = 'planned')
    AND (p.contact_id, p.category) IN (SELECT owner, category FROM newly_held)
    ON CONFLICT DO NOTHING"""
_COUNT_PLANS = """
    UPDATE run SET planned = (SELECT count(DISTINCT contact_id) FROM plan_item
        WHERE plan_item.run_id = run.id)
    WHERE kind = 'thresholds' AND state = 'planned'"""

_END_EMPTY_PLANS = """
    UPDATE run SET state = 'cancelled', finished_at = :now, message = 'all responses are held'
    WHERE kind = 'thresholds' AND state = 'planned' AND planned = 0"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judgement did: responses newly held, and contacts whose deactivation it took back."""

    held: int = 0
    taken_back: int = 0
    incidents: tuple[Incident, ...] = ()


def judge_bursts(
    connection: sa.Connection, guard: IncidentGuard, run_id: int, now: datetime
) -> Judgement:
    """Judge all hours with new responses, and those whose burst nobody has decided about.

    The caller is the only one who judges, and has waited for all others who record. The contacts
    whose thresholds must be looked at again go into the run's plan.
    """
    changed = burst_rates.unjudged_hours(connection)
    first = min((*changed[:1], *_first_undecided(connection, now)), default=None)
    if first is None:
        return Judgement()
    before = burst_rates.flagged(connection, changed)
    burst_rates.count_again(connection)
    since = first - guard.hours + 1
    rows = _rows_in_question(connection, guard, since, set(changed))
    bursts = find_bursts([row for row, _ in rows], guard, since, _Deliveries(connection, since))
    numbers = _number(connection, bursts, guard, run_id)
    known = before | {row: number for row, number in rows if number is not None}
    hours = _settle(connection, [row for row, _ in rows if row.hour >= since], numbers, known)
    touched = {row.hour for row in numbers if row.hour in set(changed)}
    burst_rates.forget_rates(connection, first_hour_needed(guard, hour_of(now)) - _REOPENED_HOURS)
    to_act = sorted(hours | touched)
    return _act(connection, to_act, run_id, now) if to_act else Judgement()


def list_incidents(connection: sa.Connection, numbers: Sequence[int] = ()) -> list[Incident]:
    """The incidents that still hold responses, or those of these numbers, oldest first."""
    held: dict[int, int] = {}
    for table in (_response, _unmatched):
        statement = (
            sa.select(table.c.incident_id, sa.func.count())
            .where(table.c.held)
            .group_by(table.c.incident_id)
        )
        for number, count in connection.execute(statement):
            held[number] = held.get(number, 0) + count
    wanted = numbers or [number for number in held if number is not None]
    rows = connection.execute(
        sa.select(_incident).where(_incident.c.id.in_(wanted)).order_by(_incident.c.id)
    )
    return [
        Incident(
            row.id,
            SharedBy(row.shared_by),
            row.name,
            Category(row.category),
            row.first_hour,
            row.last_hour,
            held.get(row.id, 0),
        )
        for row in rows
    ]


def note_decided(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """What is usual changes with what was decided: the incidents' hours are counted anew."""
    for incident in list_incidents(connection, numbers) if numbers else ():
        first, last = hour_of(incident.started), hour_of(incident.last_hour)
        burst_rates.note_hours(connection, map(hour_start, range(first, last + 1)))


class _Deliveries:
    """Contacts with a delivery since an hour, read when they are first asked for."""

    def __init__(self, connection: sa.Connection, since: int) -> None:
        self._connection, self._since = connection, since
        self._by_domain: dict[str, dict[int, int]] = {}

    def __call__(self, domains: AbstractSet[str], hour: int) -> int:
        unknown = domains - self._by_domain.keys()
        if unknown:
            self._by_domain |= {domain: {} for domain in unknown}
            first = self._since - 24 * 31
            for domain, at, number in burst_rates.deliveries(self._connection, unknown, first):
                self._by_domain[domain][at] = number
        return sum(
            number
            for domain in domains
            for at, number in self._by_domain[domain].items()
            if at >= hour
        )


def _first_undecided(connection: sa.Connection, now: datetime) -> list[int]:
    """When the oldest burst began that later events can still show to be none."""
    recent = hour_start(hour_of(now) - _REOPENED_HOURS)
    return [
        hour_of(incident.started)
        for incident in list_incidents(connection)
        if incident.held and incident.started >= recent
    ]


def _rows_in_question(
    connection: sa.Connection, guard: IncidentGuard, since: int, changed: AbstractSet[int]
) -> list[tuple[Rate, int | None]]:
    """What is noticeable since then, and what it is compared with; all that was judged a burst."""
    last = max(changed, default=since) + guard.hours
    names = burst_rates.noticeable(connection, since - guard.hours, last, guard.more_than)
    for incident in list_incidents(connection):
        names[incident.shared_by] |= {incident.name}
    if not any(names.values()):
        return []
    return burst_rates.rates_since(connection, first_hour_needed(guard, since), names)


def _number(
    connection: sa.Connection, bursts: Mapping[Rate, BurstKey], guard: IncidentGuard, run_id: int
) -> dict[Rate, int]:
    """The incident of each row; hours of one burst that lie close together are one."""
    of_key: dict[BurstKey, list[Rate]] = defaultdict(list)
    for row, key in bursts.items():
        of_key[key].append(row)
    numbers: dict[Rate, int] = {}
    for key in sorted(of_key, key=lambda key: (key.shared_by, key.name, key.category)):
        for rows in _together(sorted(of_key[key], key=lambda row: row.hour), guard.hours):
            span = (rows[0].hour, rows[-1].hour, guard.hours)
            number = burst_rates.incident_for(connection, key, span, run_id)
            numbers |= dict.fromkeys(rows, number)
    return numbers


def _together(rows: Sequence[Rate], gap: int) -> list[list[Rate]]:
    parts: list[list[Rate]] = []
    for row in rows:
        if parts and row.hour - parts[-1][-1].hour <= gap:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def _settle(
    connection: sa.Connection,
    rows: Sequence[Rate],
    numbers: Mapping[Rate, int],
    known: Mapping[Rate, int],
) -> set[int]:
    """Keep the judgement with the rates; returns the hours where it differs from before."""
    was = {_row_key(row): number for row, number in known.items()}
    changed = {
        row: numbers.get(row) for row in rows if numbers.get(row) != (was.get(_row_key(row)))
    }
    to_write = changed | {row: numbers[row] for row in numbers}
    burst_rates.set_incidents(connection, to_write)
    gone = {hour for hour, *_ in was.keys() - {_row_key(row) for row in rows}}
    return {row.hour for row in changed} | gone


def _row_key(row: Rate) -> tuple[int, Category, str, str, str]:
    return row.hour, row.category, row.domain, row.host, row.rule


def _act(connection: sa.Connection, hours: Sequence[int], run_id: int, now: datetime) -> Judgement:
    """Hold the responses of bursts in these hours, let the others go."""
    with temporary_tables(connection, _TABLES):
        fill(connection, "judged_hour", [(stored_instant(hour_start(hour)),) for hour in hours])
        of_nobody = _hold(connection, "unmatched_response", "email_key", run_id)
        held = of_nobody + _hold(connection, "response", "contact_id", run_id)
        if not held:
            return Judgement()
        taken_back = _take_back(connection, run_id, now)
        numbers = sorted(run_sql(connection, _NUMBERS).scalars())
        return Judgement(held, taken_back, tuple(list_incidents(connection, numbers)))


def _hold(connection: sa.Connection, table: str, key: str, run_id: int) -> int:
    """Hold those of one table, let others go; how many are newly held."""
    is_matched, (new, gone) = table == "response", _FOUND[table]
    judged = _JUDGED.format(
        key=key,
        table=table,
        by_time=burst_rates.by_time(connection, table),
        joined="JOIN contact c ON c.id = r.contact_id" if is_matched else "",
        domain="c.email_domain" if is_matched else burst_rates.domain_of_nobody(connection, "r"),
        end=burst_rates.end_of_hour(connection, "h.hour"),
    )
    words = {"table": table, "key": key, "judged": judged, "new": new, "gone": gone}
    held = run_sql(connection, _FIND_NEW.format(**words)).rowcount
    let_go = run_sql(connection, _FIND_GONE.format(**words)).rowcount
    if held:
        refresh_statistics(connection, new)
        run_sql(connection, _HOLD.format(**words))
    if let_go:
        refresh_statistics(connection, gone)
        run_sql(connection, _LET_GO.format(**words))
    if let_go and is_matched:
        run_sql(connection, _NOTE_CONCERNED.format(**words), run_id=run_id)
    return held


def _take_back(connection: sa.Connection, run_id: int, now: datetime) -> int:
    """End what the newly held responses had deactivated before anybody knew; how many contacts.

    It counts as if it had never been. What a person has confirmed stays, and so does what was
    opened while a response was held already: that one had no part in it.
    """
    run_sql(connection, f"CREATE TEMPORARY TABLE acted AS {_ACTED}")
    number = int(run_sql(connection, "SELECT count(DISTINCT contact_id) FROM acted").scalar_one())
    if number:
        _note_in_runs(connection)
        for statement in _TAKE_BACK:
            run_sql(connection, statement, now=now, run_id=run_id)
    run_sql(connection, "DROP TABLE acted")
    run_sql(connection, _LOOK_AGAIN, run_id=run_id)
    if run_sql(connection, _LEAVE_PLANS).rowcount:
        run_sql(connection, _COUNT_PLANS)
        run_sql(connection, _END_EMPTY_PLANS, now=now)
    return number


def _note_in_runs(connection: sa.Connection) -> None:
    """The runs that had deactivated them say so, and have more of their day left."""
    numbers = "SELECT run_id, count(DISTINCT contact_id) FROM acted GROUP BY run_id"
    for run_id, number in run_sql(connection, numbers).all():
        results = dict(get_run(connection, run_id).results)
        results[TAKEN_BACK] = results.get(TAKEN_BACK, 0) + number
        update_run(connection, run_id, {"results": results})
