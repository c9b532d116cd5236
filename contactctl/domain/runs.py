"""Runs: every change to a store, its states, and what it did (domain.run_kinds: of which kind)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from contactctl.domain.errors import OverLimitError, RefusedError, StoreError
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import Limits, Terms
from contactctl.domain.run_details import RunDetails
from contactctl.domain.run_kinds import RUN_TYPES
from contactctl.domain.run_kinds import RunKind as RunKind  # noqa: PLC0414 - handed on

_Details = TypeVar("_Details", bound=RunDetails)


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
    REFUSED = "refused-by-provider"


def same_user(operator: str, other: str) -> bool:
    """Whether two operators (`user@host as role`) are one user, from whichever host or role."""
    return _user(operator) == _user(other)


def _user(operator: str) -> str:
    return operator.partition(" as ")[0].rpartition("@")[0].casefold()


@dataclass(frozen=True)
class Request:
    """Who asks for a change, why, for what, in which `database` and under which terms; all is kept
    with the run."""

    details: RunDetails
    operator: str
    database: str
    reason: str = ""
    clock_replaced: bool = False
    terms: Terms | None = None

    @property
    def kind(self) -> RunKind:
        return self.details.kind


@dataclass(frozen=True)
class Run:
    """One run as it is now. `cursor` is the id of the last contact processed.

    `operator` asked for it; `applied_by` let it start, None: nobody has, or it was not recorded
    yet; `resumed_by` is the last other one who resumed it.

    `planned_role` is the login on Postgres that the server saw asking, '' where there is none.
    `terms` were in force then; `limit_override` is the count that was confirmed beyond its limits.

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
    details: RunDetails
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
    planned_role: str = ""
    terms: Terms | None = None
    limit_override: int | None = None

    @property
    def run_type(self) -> type[RunDetails]:
        """What all runs of its kind have in common."""
        return RUN_TYPES[self.kind]

    def details_as(self, expected: type[_Details]) -> _Details:
        """The details, typed; StoreError where the store keeps something else."""
        if not isinstance(self.details, expected):
            raise StoreError(
                f"cannot read what run {self.id} ({self.kind}) was told to do",
                hint=f"`contactctl runs cancel {self.id}` ends it",
            )
        return self.details

    @property
    def by(self) -> str:
        """`by run 12 (ann@host): asked by phone`, naming two people where one planned it."""
        people = self.operator
        if self.applied_by and self.applied_by != self.operator:
            people = f"planned by {self.operator}, applied by {self.applied_by}"
        return f"by run {self.id} ({people})" + (f": {self.reason}" if self.reason else "")

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


# How a plan must be confirmed: by the count, and by more if it is over a limit


_LONGEST = 40  # characters of a count; Python refuses to read thousands of digits


@dataclass(frozen=True)
class Stakes:
    """What is about to be confirmed: `verb` is the run's, `count` is a share of `total`."""

    verb: str
    count: int
    total: int
    limits_exceeded: Sequence[str] = ()

    @property
    def phrase(self) -> str:
        """What a person types when the plan is over a limit."""
        return f"{self.verb} {self.count} of {self.total}"


@dataclass(frozen=True)
class Confirmation:
    """What a script gives instead of a person: the count, and again to exceed a limit."""

    count: int
    limit_override: int | None = None


def stakes_of(verb: str, count: int, total: int, limits: Limits) -> Stakes:
    """The stakes of changing `count` of `total` contacts under these limits."""
    return Stakes(verb, count, total, limits.exceeded(count, total))


def parse_count(text: str) -> int | None:
    """A count as people write it: 1284 or 1,284; None for anything else."""
    digits = text.strip()
    if not (digits.isascii() and digits.replace(",", "").isdigit() and len(digits) <= _LONGEST):
        return None
    count = int(digits.replace(",", ""))
    return count if digits in (str(count), f"{count:,}") else None


def require_confirmed(stakes: Stakes, said: Confirmation) -> None:
    """RefusedError unless exactly this count was confirmed, and with it any limit."""
    if said.count != stakes.count:
        raise RefusedError(
            f"--confirm says {said.count:,}, but {stakes.count:,} contacts match;"
            " nothing was changed",
            hint="look at the preview again; contacts may have changed since then",
            code="wrong-count",
        )
    if stakes.limits_exceeded and said.limit_override != stakes.count:
        raise OverLimitError(
            f"over the limits: {'; '.join(stakes.limits_exceeded)}; nothing was changed",
            hint=f"if the count is right, add --limit-override {stakes.count}",
        )
