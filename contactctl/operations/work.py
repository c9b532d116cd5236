"""What each kind of run does, bound to what it needs besides the store."""

from collections.abc import Sequence

from contactctl.domain.runs import Run, RunKind, RunState
from contactctl.operations.session import Session
from contactctl.store.runs import list_runs
from contactctl.store.runwork import WORK_OF_KIND, BatchWork

ERASING = frozenset({RunKind.ANONYMIZE, RunKind.DELETE})
# the kinds of run that work through a plan, and so can go on after an interruption
RESUMABLE = (*WORK_OF_KIND, *sorted(ERASING))
_MOST_RUNS = 1000


def interrupted_runs(session: Session, kinds: Sequence[RunKind] = RESUMABLE) -> list[Run]:
    """Running runs, the oldest first: nobody works on them while nobody else holds the lock."""
    with session.store.reading() as connection:
        runs = list_runs(connection, limit=_MOST_RUNS, kinds=kinds, states=[RunState.RUNNING])
    return runs[::-1]


def plans_waiting(session: Session, kind: RunKind) -> list[Run]:
    """The plans that somebody can still confirm, the oldest first."""
    with session.store.reading() as connection:
        plans = list_runs(connection, limit=_MOST_RUNS, kinds=[kind], states=[RunState.PLANNED])
    now = session.clock()
    return [run for run in reversed(plans) if run.expires_at is None or run.expires_at > now]


def work_of(session: Session, kind: RunKind) -> BatchWork:
    """The work of a kind of run; erasing needs the suppression key."""
    if kind not in ERASING:
        return WORK_OF_KIND[kind]
    from contactctl.operations.erasing import erasing_work  # noqa: PLC0415 (few runs erase)

    return erasing_work(session, kind)
