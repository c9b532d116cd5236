"""Many contacts out of the store, in flat memory."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    exists,
    or_,
    select,
)

from contactctl.domain.contacts import ContactRecord, MembershipState, Origin
from contactctl.domain.runs import RunKind, RunState
from contactctl.store import tables
from contactctl.store.contacts import to_records
from contactctl.store.fields import (
    RECORD_COLUMNS,
    sorted_by,
)
from contactctl.store.predicates import is_active, is_open_system_wide

_contact = tables.contact
_item = tables.plan_item
_membership = tables.membership
_deactivation = tables.deactivation
_run = tables.run

_CHUNK = 1000


def stream_contacts(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    sort: str = "id",
    limit: int | None = None,
    fields: Collection[str] | None = None,
) -> Iterator[ContactRecord]:
    """The contacts that fulfil all conditions, sorted by a field of SORTABLE
    (`-FIELD`: descending), then by id.

    The transaction must stay open until the last one is taken. Missing values sort last. With
    `fields`, only these need to be there.
    """
    statement = select(*RECORD_COLUMNS).where(*conditions).order_by(*sorted_by(sort)).limit(limit)
    streamed = connection.execution_options(stream_results=True, yield_per=_CHUNK)
    for rows in streamed.execute(statement).mappings().partitions():
        yield from to_records(connection, rows, fields)


def deliverable() -> ColumnElement[bool]:
    """Contacts that a campaign to everybody may mail."""
    return is_active()


def not_waiting() -> ColumnElement[bool]:
    """Contacts that no plan of thresholds holds, which waits to be confirmed."""
    waiting = select(_run.c.id).where(
        _run.c.kind == RunKind.THRESHOLDS, _run.c.state == RunState.PLANNED
    )
    return ~exists().where(_item.c.contact_id == _contact.c.id, _item.c.run_id.in_(waiting))


def deliverable_in(group_id: int, *, bypass_system_wide: bool) -> ColumnElement[bool]:
    """Members that a campaign to one group may mail.

    An override (`active`) always, one deactivated here (`inactive`) never; those that follow when
    their contact is active, or when the group bypasses system-wide deactivation: but for those that
    unsubscribed from all mail, which no group bypasses.
    """
    follows = _membership.c.state == MembershipState.FOLLOWS
    unsubscribed = exists().where(
        _deactivation.c.contact_id == _membership.c.contact_id,
        _deactivation.c.origin == Origin.UNSUBSCRIBE,
        is_open_system_wide(),
    )
    is_mailed = ~unsubscribed if bypass_system_wide else deliverable()
    allowed = and_(follows, is_mailed)
    return exists().where(
        _membership.c.contact_id == _contact.c.id,
        _membership.c.group_id == group_id,
        or_(_membership.c.state == MembershipState.ACTIVE, allowed),
    )
