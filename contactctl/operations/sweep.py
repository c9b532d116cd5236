"""What cron calls: finish interrupted runs, drop expired plans, apply thresholds and rules.

A watchdog is told that cron is at work: it raises the alarm when nothing comes any more.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from contactctl import __version__
from contactctl.domain.errors import (
    BusyError,
    ContactctlError,
    InterruptedByUserError,
    RefusedError,
)
from contactctl.domain.runs import Run, RunKind
from contactctl.domain.sums import Summed
from contactctl.operations.criteria import PREVIEW_ROWS
from contactctl.operations.handling import handling_due, sweep_handling
from contactctl.operations.ingest import conclude_interrupted
from contactctl.operations.plans import RulesApplied, expire_plans, plans_waiting
from contactctl.operations.response_policy import DueUnderRule, timed_rules
from contactctl.operations.run_work import work_through
from contactctl.operations.runs import (
    begun_by_right,
    interrupted_runs,
    require_resumable,
    work_of_run,
)
from contactctl.operations.session import Session
from contactctl.operations.thresholds import sweep_thresholds, thresholds_due
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.engagement import forget_deliveries
from contactctl.store.erasure import clean_up, needs_clean_up
from contactctl.store.groups import group_names_by_id
from contactctl.store.handling import due_contact_ids
from contactctl.store.runs import note_done, overdue_plans
from contactctl.store.selections import first_rows


class SweepPart(StrEnum):
    """What a sweep sees to."""

    RUNS = "runs"
    THRESHOLDS = "thresholds"
    HANDLING = "handling"


SWEEP = "sweep"  # begins the names of a sweep's work
# complaints become deactivations before rules look for what may come back
IN_ORDER = (SweepPart.RUNS, SweepPart.THRESHOLDS, SweepPart.HANDLING)


@dataclass(frozen=True, slots=True)
class DueNow:
    """What a sweep of these `parts` would do now; `overdue` are the runs of plans to expire.

    `left_alone` are interrupted runs that nobody with the right to has begun.

    `thresholds` counts contacts by (group or None, category). Over the limits nothing is done by
    itself: `waiting` are the plans that hold such contacts back already.
    """

    parts: Sequence[SweepPart] = ()
    interrupted: Sequence[Run] = ()
    left_alone: Sequence[Run] = ()
    overdue: Sequence[int] = ()
    thresholds_total: int = 0
    inactive_already: int = 0  # of these
    thresholds: Sequence[tuple[str | None, str, int]] = ()
    handling_total: int = 0
    handling: Sequence[DueUnderRule] = ()
    rows: Sequence[dict[str, Any]] = ()
    limits_exceeded: Sequence[str] = ()
    waiting: Sequence[Run] = ()

    @property
    def contacts(self) -> int:
        return self.thresholds_total + self.handling_total


@dataclass(frozen=True, slots=True)
class SweepResult(Summed):
    """What a sweep did. `runs` are those it worked through, `waiting` those over the limits.

    `finished` are the numbers of runs that had been interrupted. `problems` stand in the order in
    which they were met; a BusyError is the last, as it ends the sweep. `declined` has the number
    of contacts of each part that was shown to a person, who said no.
    """

    runs: tuple[Run, ...] = ()
    finished: tuple[int, ...] = ()
    expired: tuple[int, ...] = ()
    waiting: tuple[Run, ...] = ()
    problems: tuple[ContactctlError, ...] = ()
    declined: tuple[int, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Whether another process is at work."""
        return any(isinstance(problem, BusyError) for problem in self.problems)

    @property
    def due(self) -> int:
        """Contacts that were due: changed, skipped, declined, or still waiting."""
        runs = (*self.runs, *self.waiting)
        return sum(self.declined) + sum(run.planned for run in runs)

    @property
    def deactivated(self) -> int:
        return sum(run.changed for run in self.runs if run.kind is RunKind.THRESHOLDS)

    @property
    def reactivated(self) -> int:
        """Contacts active again, and memberships that follow their contact again."""
        return self._handled("reactivated") + self._handled("reactivated_in_groups")

    @property
    def removed(self) -> int:
        """Memberships ended."""
        return self._handled("removed")

    def _handled(self, result: str) -> int:
        return sum(run.results.get(result, 0) for run in self.runs)


def sweep(session: Session, parts: Sequence[SweepPart]) -> SweepResult:
    """Do all that is due and within the limits, and say what is not.

    What cannot be done keeps nothing else from being done. Where another process changes contacts
    it stops at once, with what it has done so far.
    """
    done = _one_by_one(partial(_SWEEPS[part], session) for part in IN_ORDER if part in parts)
    note_sweep(session, parts, done)
    return done


def came_to_its_end(done: SweepResult) -> bool:
    """Whether all was looked at, though some of it may wait for somebody to confirm it."""
    return not done.declined and all(isinstance(each, RefusedError) for each in done.problems)


def note_sweep(session: Session, parts: Sequence[SweepPart], done: SweepResult) -> None:
    """Note that a sweep came to its end."""
    if not came_to_its_end(done):
        return
    name = "all" if set(parts) == set(IN_ORDER) else "+".join(parts)
    with session.store.writing() as connection:
        note_done(connection, f"{SWEEP} {name}", session.clock())


def look(session: Session, parts: Sequence[SweepPart]) -> DueNow:
    """What a sweep would do now; nothing is written."""
    due = DueNow(parts)
    if SweepPart.RUNS in parts:
        due = _look_at_runs(session, due)
    if SweepPart.THRESHOLDS in parts:
        due = _look_at_thresholds(session, due)
    return _look_at_handling(session, due) if SweepPart.HANDLING in parts else due


def sweep_runs(session: Session) -> SweepResult:
    """Expire plans whose time is over, work through what other processes left undone, and keep of
    old deliveries only their number."""
    steps = (_expire_plans, _finish_runs, _finish_pushes, _forget_deliveries)
    return _one_by_one(partial(step, session) for step in steps)


def _one_by_one(steps: Iterable[Callable[[], SweepResult]]) -> SweepResult:
    """What the steps did together, and what kept some of them from it."""
    done = SweepResult()
    for step in steps:
        try:
            done += step()
        except InterruptedByUserError:
            raise
        except ContactctlError as error:
            done += SweepResult(problems=(error,))
        if done.is_busy:
            break
    return done


def _expire_plans(session: Session) -> SweepResult:
    return SweepResult(expired=tuple(expire_plans(session)))


def _finish_runs(session: Session) -> SweepResult:
    if not _interrupted(session, CONTACT_CHANGES) and not needs_clean_up(session.store):
        return SweepResult()
    with exclusive(session.store, CONTACT_CHANGES):
        # read again: who held the right to change contacts may have finished them meanwhile
        runs = _interrupted(session, CONTACT_CHANGES)
        finishing = [partial(_finish_run, session, run) for run in runs]
        return _one_by_one((*finishing, partial(_clean_up, session)))


def _finish_pushes(session: Session) -> SweepResult:
    """Each under its own lock; one that somebody is at work on is left to him."""
    works = {work_of_run(run.details) for run in interrupted_runs(session, [RunKind.PUSH])}
    return _one_by_one(partial(_finish_pushes_of, session, work) for work in sorted(works))


def _finish_pushes_of(session: Session, work: str) -> SweepResult:
    with suppress(BusyError), exclusive(session.store, work):
        runs = _interrupted(session, work)
        return _one_by_one(partial(_finish_run, session, run) for run in runs)
    return SweepResult()


def _forget_deliveries(session: Session) -> SweepResult:
    forget_deliveries(session.store, session.clock() - session.settings.responses.keep_deliveries)
    return SweepResult()


def _interrupted(session: Session, work: str) -> list[Run]:
    return [run for run in interrupted_runs(session) if work_of_run(run.details) == work]


def _finish_run(session: Session, run: Run) -> SweepResult:
    require_resumable(session, run, None)
    finished = work_through(session, run)
    return SweepResult(runs=(finished,), finished=(finished.id,))


def _clean_up(session: Session) -> SweepResult:
    clean_up(session.store)  # after an erasure that was cancelled
    return SweepResult()


def _sweep_thresholds(session: Session) -> SweepResult:
    conclude_interrupted(session)
    return _result_of(sweep_thresholds(session, wait_seconds=0))


def _sweep_handling(session: Session) -> SweepResult:
    return _result_of(sweep_handling(session))


def _result_of(applied: RulesApplied) -> SweepResult:
    waiting = (applied.waiting,) if applied.waiting else ()
    problems = (applied.refusal,) if applied.refusal else ()
    return SweepResult(runs=applied.runs, waiting=waiting, problems=problems)


_SWEEPS: dict[SweepPart, Callable[[Session], SweepResult]] = {
    SweepPart.RUNS: sweep_runs,
    SweepPart.THRESHOLDS: _sweep_thresholds,
    SweepPart.HANDLING: _sweep_handling,
}


def _look_at_runs(session: Session, due: DueNow) -> DueNow:
    with session.store.reading() as connection:
        overdue = overdue_plans(connection, session.clock())
    runs = interrupted_runs(session)
    by_right = [run for run in runs if begun_by_right(session, run)]
    left_alone = [run for run in runs if run not in by_right]
    return replace(due, interrupted=by_right, left_alone=left_alone, overdue=overdue)


def _look_at_thresholds(session: Session, due: DueNow) -> DueNow:
    counts, limits_exceeded = thresholds_due(session, session.now)
    with session.store.reading() as connection:
        names = group_names_by_id(connection)
    by_scope = [
        (names.get(group_id), str(category), number)
        for (group_id, category), number in counts.by_scope.items()
    ]
    return replace(
        due,
        thresholds_total=counts.contacts,
        inactive_already=counts.contacts - counts.losing,
        thresholds=by_scope,
        limits_exceeded=limits_exceeded,
        waiting=plans_waiting(session, RunKind.THRESHOLDS),
    )


def _look_at_handling(session: Session, due: DueNow) -> DueNow:
    handling = handling_due(session)
    rows: Sequence[dict[str, Any]] = ()
    if handling.contacts:
        ids = due_contact_ids(timed_rules(session, session.now))
        with session.store.reading() as connection:
            rows = first_rows(connection, ids, PREVIEW_ROWS)
    return replace(
        due,
        handling_total=handling.contacts,
        handling=handling.by_rule,
        rows=rows,
        limits_exceeded=(*due.limits_exceeded, *handling.limits_exceeded),
        waiting=(*due.waiting, *plans_waiting(session, RunKind.HANDLING)),
    )


# Telling a watchdog that cron is at work: it raises the alarm when nothing comes any more


_PATIENCE_S = 5.0


def ping(url: str) -> str:
    """Ask for the URL once; why that failed, '' where it was answered with success.

    The URL itself is a secret of whoever has it, and never part of the reason.
    """
    request = Request(url, headers={"User-Agent": f"contactctl/{__version__}"})  # noqa: S310
    try:
        with urlopen(request, timeout=_PATIENCE_S):  # noqa: S310 - the config takes http(s) alone
            return ""
    except HTTPError as error:
        with error:
            return f"HTTP status {error.code}"
    except URLError as error:
        reason = error.reason
        return str(reason.strerror or reason) if isinstance(reason, OSError) else str(reason)
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
