"""What each kind of run does, bound to what it needs besides the store."""

from contactctl.domain.runs import RunKind
from contactctl.operations.session import Session
from contactctl.store.runwork import WORK_OF_KIND, BatchWork

ERASING = frozenset({RunKind.ANONYMIZE, RunKind.DELETE})
# the kinds of run that work through a plan, and so can go on after an interruption
RESUMABLE = (*WORK_OF_KIND, *sorted(ERASING))


def work_of(session: Session, kind: RunKind) -> BatchWork:
    """The work of a kind of run; erasing needs the suppression key."""
    if kind not in ERASING:
        return WORK_OF_KIND[kind]
    from contactctl.operations.erasing import erasing_work  # noqa: PLC0415 (few runs erase)

    return erasing_work(session, kind)
