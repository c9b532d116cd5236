"""Runs: every change to a store, its states, and what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class RunKind(StrEnum):
    """What a run does."""

    DEACTIVATE = "deactivate"
    UNDO = "undo"
    REACTIVATE = "reactivate"
    THRESHOLDS = "thresholds"
    HANDLING = "handling"
    IMPORT = "import"
    ADD = "add"
    GROUPS = "groups"
    REMOVE_FROM_GROUP = "remove-from-group"
    INGEST = "ingest"
    RELEASE = "release"
    DISCARD = "discard"
    ANONYMIZE = "anonymize"
    DELETE = "delete"
    SUPPRESSIONS = "suppressions"


class RunState(StrEnum):
    """`planned` and `running` lead to one of the others, which are final."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


FINAL_STATES = frozenset({RunState.DONE, RunState.CANCELLED, RunState.EXPIRED, RunState.FAILED})


class SkipReason(StrEnum):
    """Why a planned contact was not changed."""

    NOT_ACTIVE = "not-active"
    CHANGED = "changed-since-plan"
    GONE = "gone"


def same_user(operator: str, other: str) -> bool:
    """Whether two operators (`user@host as role`) are one user, from whichever host or role."""
    return _user(operator) == _user(other)


def _user(operator: str) -> str:
    return operator.partition(" as ")[0].rpartition("@")[0].casefold()


# the kinds of run that deactivate what they change
DEACTIVATING_KINDS = frozenset({RunKind.DEACTIVATE, RunKind.THRESHOLDS})


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for a change, why, and for what; `details` is JSON kept with the run forever."""

    kind: RunKind
    operator: str
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    clock_replaced: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it is now. `cursor` is the id of the last contact processed.

    `operator` asked for it; `applied_by` let it start, None: nobody has, or it was not recorded
    yet; `resumed_by` is the last other one who resumed it.

    `results` holds figures of some kinds of run that `changed`, a number of contacts, does not
    tell: `ended` deactivations, `removed` memberships.
    """

    id: int
    kind: RunKind
    state: RunState
    operator: str
    applied_by: str | None
    resumed_by: str | None
    database: str
    reason: str
    details: Mapping[str, object]
    planned: int
    changed: int
    skipped: Mapping[str, int]
    results: Mapping[str, int]
    cursor: int
    active_before: int | None
    active_after: int | None
    planned_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    clock_replaced: bool
    message: str

    @property
    def skipped_total(self) -> int:
        return sum(self.skipped.values())

    @property
    def dealt_with(self) -> int:
        """Planned contacts that were changed or skipped."""
        return self.changed + self.skipped_total

    @property
    def remaining(self) -> int:
        """Planned contacts that have not been processed yet."""
        return self.planned - self.dealt_with
