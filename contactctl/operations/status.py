"""The state of the whole store on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contactctl.domain.contacts import Status
from contactctl.domain.policies import BillingTier, tier_for
from contactctl.domain.runs import Run, RunState
from contactctl.operations.session import Session
from contactctl.store.impact import (
    contacts_by_status,
    count_held,
    count_unsubscribes,
    deactivations_per_month,
    open_deactivations,
)
from contactctl.store.runs import count_runs, count_waiting, list_runs

LATEST_RUNS = 5
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Totals and the latest runs. `open_deactivations` holds (origin, category, number).

    `per_month` has the last twelve months as (`YYYY-MM`, deactivations started), oldest first.
    """

    database: str
    active: int
    inactive: int
    open_deactivations: Sequence[tuple[str, str, int]]
    per_month: Sequence[tuple[str, int]]
    tier: BillingTier | None
    currency: str
    unfinished_runs: int
    waiting_plans: int
    waiting_contacts: int
    held_responses: int
    unsubscribes: int
    unmatched_unsubscribes: int
    latest_runs: Sequence[Run]
    policy: int | None = None

    @property
    def total(self) -> int:
        return self.active + self.inactive


def read_status(session: Session) -> StoreStatus:
    """Everything that `status` shows, from one state of the store."""
    months = _last_months(session.now)
    since = datetime.fromisoformat(f"{months[0]}-01T00:00:00+00:00")
    with session.store.reading() as connection:
        totals = contacts_by_status(connection)
        active = totals.get(Status.ACTIVE, 0)
        unsubscribes, unmatched = count_unsubscribes(connection)
        per_month = deactivations_per_month(connection, since)
        return StoreStatus(
            database=session.store.identity,
            active=active,
            inactive=totals.get(Status.INACTIVE, 0),
            open_deactivations=open_deactivations(connection),
            per_month=_filled(months, per_month),
            tier=tier_for(active, session.settings.billing),
            currency=session.settings.billing.currency,
            unfinished_runs=count_runs(connection, [RunState.RUNNING]),
            waiting_plans=count_runs(connection, [RunState.PLANNED]),
            waiting_contacts=count_waiting(connection),
            held_responses=count_held(connection),
            unsubscribes=unsubscribes,
            unmatched_unsubscribes=unmatched,
            latest_runs=list_runs(connection, limit=LATEST_RUNS),
            policy=session.bound.policy if session.bound else None,
        )


def _last_months(now: datetime) -> list[str]:
    """`YYYY-MM` of the last twelve months, the present one last."""
    newest = now.year * 12 + now.month - 1
    numbers = range(newest - MONTHS_SHOWN + 1, newest + 1)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _filled(months: Sequence[str], found: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(month, found.get(month, 0)) for month in months]
