"""Before a batch is changed: what no longer is as it was shown leaves the plan, counted."""

from sqlalchemy import ColumnElement, Connection, case, delete, exists, func, not_, select

from contactctl.domain.runs import Run, SkipReason
from contactctl.store import tables
from contactctl.store.plans import Batch, BatchOutcome, in_batch, outcome_by_reason

_contact = tables.contact
_item = tables.plan_item


def settle(
    connection: Connection, run: Run, batch: Batch, still_holds: ColumnElement[bool]
) -> BatchOutcome:
    """Keep the batch's items whose contact has the planned revision and fulfils `still_holds`.

    What is left of the batch is exactly what its run changes.
    """
    as_shown = exists().where(
        _contact.c.id == _item.c.contact_id, _contact.c.revision == _item.c.revision, still_holds
    )
    exists_still = exists().where(_contact.c.id == _item.c.contact_id)
    reason = case((as_shown, ""), (exists_still, SkipReason.CHANGED), else_=SkipReason.GONE)
    statement = select(reason, func.count()).where(in_batch(run.id, batch)).group_by(reason)
    outcome = outcome_by_reason(connection, statement)
    if outcome.skipped:
        connection.execute(delete(_item).where(in_batch(run.id, batch), not_(as_shown)))
    return outcome
