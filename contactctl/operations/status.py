"""The state of the whole store on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta

from contactctl.domain.contacts import Status
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import BillingTier, tier_for
from contactctl.domain.runs import Run, RunState
from contactctl.operations.session import Session
from contactctl.store.impact import (
    any_bypass,
    contacts_by_status,
    count_held,
    count_unsubscribes,
    deactivations_per_month,
    open_deactivations,
    responses_since,
)
from contactctl.store.runs import count_runs, count_waiting, last_done, list_runs

LATEST_RUNS = 5
MONTHS_SHOWN = 12
_DAY = timedelta(days=1)


@dataclass(frozen=True)
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
    as_of: datetime
    policy: int | None = None
    last_done: Mapping[str, datetime] = field(default_factory=dict)
    bypassing: Sequence[str] = ()
    responses_of_day: Mapping[str, int] = field(default_factory=dict)

    def last(self, work: str) -> datetime | None:
        """When the last sweep or fetch came to its end; None where there was none."""
        found = [at for name, at in self.last_done.items() if name.partition(" ")[0] == work]
        return max(found, default=None)

    @property
    def total(self) -> int:
        return self.active + self.inactive


def read_status(session: Session, *, with_rates: bool = False) -> StoreStatus:
    """Everything that `status` shows, from one state of the store; `with_rates` also how many
    responses of each category were counted within the last 24 hours."""
    months = _last_months(session.now)
    bypassing = _bypassing(session)
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
            per_month=[(month, per_month.get(month, 0)) for month in months],
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
            as_of=session.now,
            last_done=last_done(connection),
            bypassing=bypassing,
            responses_of_day=responses_since(connection, session.now - _DAY) if with_rates else {},
        )


def _bypassing(session: Session) -> Sequence[str]:
    """Groups that mail contacts which are inactive system-wide; most stores have none."""
    in_config = session.settings.responses.groups.values()
    with session.store.reading() as connection:
        is_any = any(each.bypass_system_wide for each in in_config) or any_bypass(connection)
    if not is_any:
        return ()
    from contactctl.operations.response_policy import bypassing_group_names  # noqa: PLC0415 - see above

    return bypassing_group_names(session)


def _last_months(now: datetime) -> list[str]:
    """`YYYY-MM` of the last twelve months, the present one last."""
    newest = now.year * 12 + now.month - 1
    numbers = range(newest - MONTHS_SHOWN + 1, newest + 1)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]
