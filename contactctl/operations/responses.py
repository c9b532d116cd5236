"""Recorded responses: listed, reported on, held ones decided about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contactctl import operations
from contactctl.domain.bursts import Incident
from contactctl.domain.errors import RefusedError
from contactctl.domain.response_report import (
    Figures,
    RateLimit,
    ReportBy,
    over_limit,
    total_of,
    worst_first,
)
from contactctl.domain.responses import HeldFilter, ResponseFilter
from contactctl.domain.run_kinds import DiscardRun, ReleaseRun
from contactctl.domain.runs import RunState
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations.session import Session
from contactctl.store.bursts import list_incidents, note_decided
from contactctl.store.database.locks import exclusive, serialise
from contactctl.store.response_report import count_unmatched_since, report_rows
from contactctl.store.responses import discard_held, incidents_of, list_responses, release_held
from contactctl.store.runs import change_state, insert_run


@dataclass(frozen=True, slots=True)
class HeldResult:
    """What was decided for `responses` held ones; `thresholds` is None for discarded ones."""

    run: int
    responses: int
    thresholds: "operations.plans.RulesApplied | None" = None


def latest_responses(session: Session, wanted: ResponseFilter) -> Sequence[dict[str, Any]]:
    """The responses that are wanted, newest first."""
    with session.store.reading() as connection:
        return list_responses(connection, wanted)


def open_incidents(session: Session) -> list[Incident]:
    """The incidents that hold responses, oldest first."""
    with session.store.reading() as connection:
        return list_incidents(connection)


def release(session: Session, chosen: HeldFilter, *, reason: str = "") -> HeldResult:
    """Let held responses count, and look at the thresholds of their contacts."""
    with exclusive(session.store, operations.ingest.INGESTING, wait_seconds=FOR_LOCKS_S):
        done = _decide(session, ReleaseRun, chosen, reason)
        thresholds = operations.ingest.look_at_thresholds(session, [done.run], FOR_LOCKS_S)
    return HeldResult(done.run, done.responses, thresholds)


def discard(session: Session, chosen: HeldFilter, *, reason: str = "") -> HeldResult:
    """Keep held responses on record, not counted for ever."""
    with exclusive(session.store, operations.ingest.INGESTING, wait_seconds=FOR_LOCKS_S):
        return _decide(session, DiscardRun, chosen, reason)


def _decide(
    session: Session,
    deciding: type[ReleaseRun | DiscardRun],
    chosen: HeldFilter,
    reason: str,
) -> HeldResult:
    now = session.clock()
    with session.store.writing() as connection:
        details = deciding(chosen.run_id, chosen.domain, chosen.incident)
        request = session.request(details, reason=reason)
        run_id = insert_run(connection, request, state=RunState.RUNNING, now=now)
        serialise(connection)
        incidents = incidents_of(connection, chosen)
        if deciding is ReleaseRun:
            number = release_held(connection, run_id, chosen)
        else:
            number = discard_held(connection, chosen)
        if number == 0:
            raise RefusedError(
                "no matching response is held",
                hint="`contactctl responses list --held` lists them",
                code="nothing-held",
            )
        note_decided(connection, incidents)
        values = {"finished_at": now, "planned": number, "changed": number}
        change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)
    return HeldResult(run_id, number)


# Reporting how mails fare: delivered, bounced, complained of


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
