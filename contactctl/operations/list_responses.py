"""Looking at recorded responses, and deciding about held ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.bursts import Incident
from contactctl.domain.errors import RefusedError
from contactctl.domain.responses import HeldFilter, ResponseFilter
from contactctl.domain.run_kinds import DiscardRun, ReleaseRun
from contactctl.domain.runs import RunState
from contactctl.operations import waits
from contactctl.operations.ingest import INGESTING, look_at_thresholds
from contactctl.operations.session import Session
from contactctl.operations.thresholds import ThresholdResult
from contactctl.store.bursts import list_incidents, note_decided
from contactctl.store.held import discard_held, incidents_of, release_held
from contactctl.store.locks import exclusive, serialise
from contactctl.store.responses import list_responses
from contactctl.store.runs import CONTACT_CHANGES, change_state, insert_run


@dataclass(frozen=True, slots=True)
class HeldResult:
    """What was decided for `responses` held ones; `thresholds` is None for discarded ones."""

    run: int
    responses: int
    thresholds: ThresholdResult | None = None


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
    with exclusive(session.store, INGESTING, wait_seconds=waits.FOR_CHANGES_S):
        done = _decide(session, ReleaseRun, chosen, reason)
        thresholds = look_at_thresholds(session, [done.run], waits.FOR_CHANGES_S)
    return HeldResult(done.run, done.responses, thresholds)


def discard(session: Session, chosen: HeldFilter, *, reason: str = "") -> HeldResult:
    """Keep held responses on record, not counted for ever."""
    with exclusive(session.store, INGESTING, wait_seconds=waits.FOR_CHANGES_S):
        return _decide(session, DiscardRun, chosen, reason)


def _decide(
    session: Session,
    deciding: type[ReleaseRun | DiscardRun],
    chosen: HeldFilter,
    reason: str,
) -> HeldResult:
    now = session.clock()
    with session.store.writing() as connection:
        run_id = insert_run(
            connection,
            session.request(deciding(chosen.run_id, chosen.domain, chosen.incident), reason=reason),
            state=RunState.RUNNING,
            identity=session.store.identity,
            now=now,
        )
        serialise(connection, CONTACT_CHANGES)
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
