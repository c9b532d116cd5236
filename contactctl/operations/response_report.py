"""Reporting how mails fare: delivered, bounced, complained of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.response_report import (
    Figures,
    RateLimit,
    ReportBy,
    over_limit,
    total_of,
    worst_first,
)
from contactctl.operations.session import Session
from contactctl.store.response_report import count_unmatched_since, report_rows


@dataclass(frozen=True, slots=True)
class ResponseReport:
    """The rows, the worst first, what they are together, and which limits are exceeded by what.

    `unmatched` responses, to addresses of no contact, are in no row.
    """

    by: ReportBy
    since: datetime
    rows: Sequence[Figures]
    total: Figures
    unmatched: int
    exceeded: Sequence[tuple[RateLimit, Figures]]


def report_responses(
    session: Session, by: ReportBy, since: datetime, limits: Sequence[RateLimit]
) -> ResponseReport:
    """How the mails since then have fared, in one state of the store."""
    with session.store.reading() as connection:
        rows = worst_first(report_rows(connection, by, since))
        # deliveries are in several rows where domains answer in several ways
        total = total_of(report_rows(connection, ReportBy.DOMAIN, since))
        unmatched = count_unmatched_since(connection, since)
    exceeded = [(limit, each) for limit in limits for each in over_limit(rows, total, limit)]
    return ResponseReport(by, since, rows, total, unmatched, exceeded)
