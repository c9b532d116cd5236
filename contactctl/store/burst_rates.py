"""Responses counted by hour, for the judgement of bursts (domain.bursts)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.bursts import BurstKey, Rate, SharedBy, hour_of, hour_start
from contactctl.domain.responses import Category
from contactctl.store import tables
from contactctl.store.predicates import run_sql
from contactctl.store.temporary import join_by_index, refresh_statistics
from contactctl.store.types import UtcInstant

_contact = tables.contact
_incident = tables.incident
_rate = tables.response_rate
_unjudged = tables.unjudged_hour

_MOST_NAMED = 500  # names in one statement; where there are more, all rows are read
_KEY = (_rate.c.hour, _rate.c.category, _rate.c.domain, _rate.c.host, _rate.c.rule)

# what is discarded was a burst all the same
_IS_EVIDENCE = "(r.counts OR r.not_counted = 'discarded') AND r.channel = 'email'"
_IS_RELEASED = "r.counts AND NOT r.held AND r.incident_id IS NOT NULL"
_COUNT_AGAIN = """
    INSERT INTO response_rate (hour, category, domain, host, rule, responses, released)
    SELECT hour, category, domain, host, rule, count(*), sum(released) FROM (
        SELECT h.hour, r.category, c.email_domain AS domain, r.host, r.rule,
            CASE WHEN {released} THEN 1 ELSE 0 END AS released
        FROM unjudged_hour h
        CROSS JOIN response r {by_time}
        CROSS JOIN contact c
        WHERE r.occurred_at >= h.hour AND r.occurred_at < {end} AND {evidence}
            AND c.id = r.contact_id
        UNION ALL
        SELECT h.hour, r.category, {domain}, r.host, r.rule,
            CASE WHEN {released} THEN 1 ELSE 0 END
        FROM unjudged_hour h
        CROSS JOIN unmatched_response r {unmatched_by_time}
        WHERE r.occurred_at >= h.hour AND r.occurred_at < {end} AND {evidence}) AS every
    GROUP BY hour, category, domain, host, rule"""


def note_hours(connection: sa.Connection, hours: Iterable[datetime]) -> None:
    """Responses of these hours have been recorded, or decided about."""
    rows = [{"hour": hour} for hour in sorted(hours)]
    if rows:
        statement = sa.text(
            "INSERT INTO unjudged_hour (hour) VALUES (:hour) ON CONFLICT DO NOTHING"
        )
        connection.execute(statement.bindparams(sa.bindparam("hour", type_=UtcInstant())), rows)


def unjudged_hours(connection: sa.Connection) -> list[int]:
    """The hours since 1970 whose responses have changed, in order."""
    statement = sa.select(_unjudged.c.hour).order_by(_unjudged.c.hour)
    return [hour_of(hour) for hour in connection.execute(statement).scalars()]


def count_again(connection: sa.Connection) -> None:
    """Count the unjudged hours' responses, from what is recorded; no hour is unjudged then."""
    refresh_statistics(connection, "unjudged_hour")
    join_by_index(connection)  # few contacts have responses of an hour
    connection.execute(sa.delete(_rate).where(_rate.c.hour.in_(sa.select(_unjudged.c.hour))))
    run_sql(
        connection,
        _COUNT_AGAIN.format(
            released=_IS_RELEASED,
            evidence=_IS_EVIDENCE,
            end=end_of_hour(connection, "h.hour"),
            domain=domain_of_nobody(connection, "r"),
            by_time=by_time(connection, "response"),
            unmatched_by_time=by_time(connection, "unmatched_response"),
        ),
    )
    connection.execute(sa.delete(_unjudged))


def flagged(connection: sa.Connection, hours: Sequence[int]) -> dict[Rate, int]:
    """Rows of these hours that were judged as bursts, with the incident's number."""
    if not hours:
        return {}
    first, last = hour_start(hours[0]), hour_start(hours[-1])
    rows = _read(connection, _rate.c.hour.between(first, last), _rate.c.incident_id.is_not(None))
    among = set(hours)
    return {rate: number for rate, number in rows if rate.hour in among and number is not None}


def noticeable(connection: sa.Connection, first: int, last: int, more_than: int) -> "Names":
    """The domains, hosts and rules with more than so many responses of a category meanwhile."""
    span = _rate.c.hour.between(hour_start(first), hour_start(last))
    found = {}
    for shared_by in SharedBy:
        column = _rate.c[shared_by.value]
        statement = (
            sa.select(column)
            .where(span, column != "")
            .group_by(column, _rate.c.category)
            .having(sa.func.sum(_rate.c.responses) > more_than)
        )
        found[shared_by] = frozenset(connection.execute(statement).scalars())
    return found


Names = dict[SharedBy, frozenset[str]]


def rates_since(
    connection: sa.Connection, first: int, names: Names
) -> list[tuple[Rate, int | None]]:
    """The rows from an hour on that concern one of the names, with the incident that each is in."""
    since = _rate.c.hour >= hour_start(first)
    if sum(map(len, names.values())) > _MOST_NAMED:
        return _read(connection, since)
    named = [_rate.c[shared_by.value].in_(sorted(each)) for shared_by, each in names.items()]
    return _read(connection, since, sa.or_(*named))


def set_incidents(connection: sa.Connection, changed: dict[Rate, int | None]) -> None:
    """Keep in which incident each row is now."""
    if not changed:
        return
    statement = (
        sa.update(_rate)
        .where(*(column == sa.bindparam(f"of_{column.name}") for column in _KEY))
        .values(incident_id=sa.bindparam("number"))
    )
    names = [f"of_{column.name}" for column in _KEY]
    rows = []
    for rate, number in changed.items():
        key = (hour_start(rate.hour), rate.category.value, rate.domain, rate.host, rate.rule)
        rows.append({**dict(zip(names, key, strict=True)), "number": number})
    connection.execute(statement, rows)


def deliveries(
    connection: sa.Connection, domains: AbstractSet[str], first: int
) -> list[tuple[str, int, int]]:
    """(domain, hour, contacts whose latest delivery, open or click was then) from `first` on."""
    seconds = (
        "CAST(strftime('%s', delivered_at) AS INTEGER)"
        if connection.dialect.name == "sqlite"
        else "CAST(floor(extract(epoch FROM delivered_at)) AS bigint)"
    )
    statement = sa.text(
        f"SELECT email_domain, {seconds} / 3600, count(*) FROM contact"  # noqa: S608 (our own)
        " WHERE delivered_at >= :first AND email_domain IN :domains GROUP BY 1, 2"
    ).bindparams(
        sa.bindparam("first", hour_start(first), type_=UtcInstant()),
        sa.bindparam("domains", sorted(domains), expanding=True),
    )
    return [(row[0], int(row[1]), row[2]) for row in connection.execute(statement)]


def response_days(connection: sa.Connection, since: datetime) -> dict[int, int]:
    """How many responses that count there were on each day since 1970, UTC."""
    statement = (
        sa.select(_rate.c.hour, sa.func.sum(_rate.c.responses))
        .where(_rate.c.hour >= since)
        .group_by(_rate.c.hour)
    )
    days: dict[int, int] = {}
    for hour, number in connection.execute(statement):
        day = hour_of(hour) // 24
        days[day] = days.get(day, 0) + int(number)
    return days


def forget_rates(connection: sa.Connection, before: int) -> None:
    """Drop counts that no judgement looks at any more."""
    connection.execute(sa.delete(_rate).where(_rate.c.hour < hour_start(before)))


def incident_for(
    connection: sa.Connection, key: BurstKey, span: tuple[int, int, int], run: int
) -> int:
    """The number of the incident of this burst, from hour to hour, a new one where there is none.

    `span` ends with how many hours may lie between two bursts of one incident.
    """
    first, last, gap = span
    statement = (
        sa.select(_incident.c.id, _incident.c.first_hour, _incident.c.last_hour)
        .where(
            _incident.c.shared_by == key.shared_by,
            _incident.c.name == key.name,
            _incident.c.category == key.category,
            _incident.c.last_hour >= hour_start(first - gap),
            _incident.c.first_hour <= hour_start(last + gap),
        )
        .order_by(_incident.c.id)
    )
    known = connection.execute(statement).first()
    start, end = hour_start(first), hour_start(last)
    if known is None:
        values = {
            "shared_by": key.shared_by.value,
            "name": key.name,
            "category": key.category.value,
            "first_hour": start,
            "last_hour": end,
            "run_id": run,
        }
        made = connection.execute(sa.insert(_incident).values(values).returning(_incident.c.id))
        return int(made.scalar_one())
    longer = {"first_hour": min(start, known[1]), "last_hour": max(end, known[2])}
    connection.execute(sa.update(_incident).where(_incident.c.id == known[0]).values(longer))
    return int(known[0])


def _read(connection: sa.Connection, *conditions: object) -> list[tuple[Rate, int | None]]:
    statement = (
        sa.select(_rate, _incident.c.shared_by, _incident.c.name)
        .outerjoin(_incident, _incident.c.id == _rate.c.incident_id)
        .where(*conditions)  # type: ignore[arg-type]
    )
    return [
        (
            Rate(
                hour=hour_of(row.hour),
                category=Category(row.category),
                domain=row.domain,
                host=row.host,
                rule=row.rule,
                responses=row.responses,
                released=row.released,
                burst=None
                if row.shared_by is None
                else BurstKey(SharedBy(row.shared_by), row.name, Category(row.category)),
            ),
            row.incident_id,
        )
        for row in connection.execute(statement)
    ]


def end_of_hour(connection: sa.Connection, hour: str) -> str:
    """SQL of the instant an hour later."""
    if connection.dialect.name == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {hour}, '+1 hour')"
    return f"{hour} + INTERVAL '1 hour'"


def domain_of_nobody(connection: sa.Connection, table: str) -> str:
    """SQL of the domain in the address of an unmatched response."""
    if connection.dialect.name == "sqlite":
        return f"substr({table}.email_key, instr({table}.email_key, '@') + 1)"
    return f"split_part({table}.email_key, '@', 2)"


def by_time(connection: sa.Connection, table: str) -> str:
    """What tells SQLite to look responses up by when they happened."""
    return f"INDEXED BY {table}_occurred" if connection.dialect.name == "sqlite" else ""
