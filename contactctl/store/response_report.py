"""Deliveries, bounces and complaints of a time, counted for a report (domain.response_report)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.bursts import hour_of, hour_start
from contactctl.domain.response_report import Figures, ReportBy
from contactctl.domain.responses import Category
from contactctl.domain.thresholds import DISCARDED
from contactctl.store import tables
from contactctl.store.predicates import how_many

_contact = tables.contact
_rate = tables.delivery_rate
_response = tables.response
_unmatched = tables.unmatched_response

_BY_DOMAINS = (ReportBy.HOST, ReportBy.CATEGORY)  # their mails: of the domains they were heard of
_IS_COMPLAINT = _response.c.category == Category.SPAM_COMPLAINT


def report_rows(connection: sa.Connection, by: ReportBy, since: datetime) -> list[Figures]:
    """What happened since the hour of that instant, in no order.

    Of contacts alone. Responses that count, and those that do not since they are the sender's fault
    or somebody has discarded them: not those that repeat others, nor delays. Of a host, or a
    category, the deliveries are those to the domains that it was heard of from.
    """
    since = hour_start(hour_of(since))
    failed: dict[str, tuple[int, int]] = {}
    domains: dict[str, set[str]] = defaultdict(set)
    for name, domain, bounced, complained in _failed(connection, by, since):
        before = failed.get(name, (0, 0))
        failed[name] = (before[0] + bounced, before[1] + complained)
        domains[name].add(domain)
    delivered = _delivered(connection, by, since)
    if by in _BY_DOMAINS:
        delivered = {
            name: sum(delivered.get(each, 0) for each in heard) for name, heard in domains.items()
        }
    return [
        Figures(name, delivered.get(name, 0), *failed.get(name, (0, 0)))
        for name in dict.fromkeys((*failed, *delivered))
    ]


def count_unmatched_since(connection: sa.Connection, since: datetime) -> int:
    """Responses to addresses that no contact has."""
    started = hour_start(hour_of(since))
    is_recent = _unmatched.c.occurred_at >= started
    return how_many(connection, _unmatched, is_recent, _is_failure(_unmatched))


def _failed(
    connection: sa.Connection, by: ReportBy, since: datetime
) -> Iterable[tuple[str, str, int, int]]:
    """(name, domain, bounced, complained); of a day not by domain, which no day needs."""
    name = domain = _name(connection, by)
    rows: sa.FromClause = _response
    if by is not ReportBy.DAY:
        domain = _contact.c.email_domain
        rows = rows.join(_contact, _contact.c.id == _response.c.contact_id)
    complained = sa.func.sum(sa.case((_IS_COMPLAINT, 1), else_=0))
    statement = (
        sa.select(name, domain, sa.func.count() - complained, complained)
        .select_from(rows)
        .where(_response.c.occurred_at >= since, _is_failure(_response))
        .group_by(name, domain)
    )
    for row in connection.execute(statement):
        yield row[0], row[1], int(row[2]), int(row[3])


def _is_failure(of: sa.Table) -> sa.ColumnElement[bool]:
    is_evidence = sa.or_(of.c.counts, of.c.not_counted.in_(("sender-side", DISCARDED)))
    return is_evidence & (of.c.channel == "email")


def _delivered(connection: sa.Connection, by: ReportBy, since: datetime) -> dict[str, int]:
    name = _day(connection, _rate.c.hour) if by is ReportBy.DAY else _rate.c.domain
    statement = sa.select(name, sa.func.sum(_rate.c.deliveries)).where(_rate.c.hour >= since)
    return {row[0]: int(row[1]) for row in connection.execute(statement.group_by(name))}


def _name(connection: sa.Connection, by: ReportBy) -> sa.ColumnElement[str]:
    names: dict[ReportBy, sa.ColumnElement[str]] = {
        ReportBy.DOMAIN: _contact.c.email_domain,
        ReportBy.HOST: _response.c.host,
        ReportBy.CATEGORY: _response.c.category,
        ReportBy.DAY: _day(connection, _response.c.occurred_at),
    }
    return names[by]


def _day(connection: sa.Connection, instant: sa.ColumnElement[datetime]) -> sa.ColumnElement[str]:
    """The day in UTC, as 2026-01-31."""
    if connection.dialect.name == "sqlite":
        return sa.func.substr(instant, 1, 10, type_=sa.Text())
    return sa.func.to_char(sa.func.timezone("UTC", instant), "YYYY-MM-DD", type_=sa.Text())
