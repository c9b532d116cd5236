"""What criteria select, and what deactivating it would mean; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contactctl.domain.billing import tier_for
from contactctl.domain.confirmation import Stakes, stakes_of
from contactctl.domain.criteria import including_missing
from contactctl.domain.policies import BillingTier
from contactctl.operations.group_policies import bypassing_groups
from contactctl.operations.select import Selection
from contactctl.operations.session import Session
from contactctl.store.criteria_sql import where_clause
from contactctl.store.impact import Shift, losses_of_contacts
from contactctl.store.left_out import count_left_out
from contactctl.store.preview import active_ids, count_active_where, first_rows
from contactctl.store.totals import count_active

PREVIEW_ROWS = 30


@dataclass(frozen=True, slots=True)
class Impact:
    """What a run changes: totals, what is paid, and by group the members it loses or regains.

    `brings_back`: it is the impact of taking a deactivation back.
    """

    active_before: int
    active_after: int
    tier_before: BillingTier | None
    tier_after: BillingTier | None
    currency: str
    members_lost: Mapping[str, int] = field(default_factory=dict)
    members_regained: Mapping[str, int] = field(default_factory=dict)
    brings_back: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A selection, counted. `left_out` maps a field to active contacts without a value for it.

    `rows` are the first contacts, with their values of `fields`, which are all there are.
    """

    database: str
    selection: Selection
    count: int
    active_total: int
    left_out: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    stakes: Stakes
    impact: Impact | None = None

    def include_hint(self, field_name: str) -> str:
        """How to write the criteria so that contacts without that value are included."""
        return including_missing(self.selection.criteria, field_name)


def preview(session: Session, selection: Selection, *, with_impact: bool = False) -> Preview:
    """Count and show the active contacts that the selection means, in one state of the store."""
    where = where_clause(selection.resolved, session.store.dialect)
    bypassing = bypassing_groups(session) if with_impact else ()
    with session.store.reading() as connection:
        count = count_active_where(connection, where)
        active_total = count_active(connection)
        ids = active_ids(where)
        impact = None
        if with_impact:
            losses = losses_of_contacts(connection, ids, count, bypassing)
            impact = impact_of(session, active_total, losses)
        return Preview(
            database=session.store.identity,
            selection=selection,
            count=count,
            active_total=active_total,
            left_out=count_left_out(connection, selection.resolved, session.store.dialect),
            rows=first_rows(connection, ids, PREVIEW_ROWS),
            fields=session.catalogue.names(),
            stakes=stakes_of("deactivate", count, active_total, session.settings.limits),
            impact=impact,
        )


def impact_of(session: Session, active_total: int, shift: Shift) -> Impact:
    """What such a change of status means beside `active_total` active contacts."""
    billing = session.settings.billing
    after = active_total + (shift.contacts if shift.brings_back else -shift.contacts)
    return Impact(
        active_before=active_total,
        active_after=after,
        tier_before=tier_for(active_total, billing),
        tier_after=tier_for(after, billing),
        currency=billing.currency,
        members_lost={} if shift.brings_back else shift.members,
        members_regained=shift.members if shift.brings_back else {},
        brings_back=shift.brings_back,
    )
