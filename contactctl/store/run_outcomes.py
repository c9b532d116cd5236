"""Whom a run has changed: from the reasons that it opened and ended, the memberships that it
ended, and what it has told followers of."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal, select

from contactctl.domain.changes import ChangeKind, Outcome
from contactctl.domain.runs import Run
from contactctl.store import tables
from contactctl.store.changes import changes_of_run
from contactctl.store.groups import scope_name

_contact = tables.contact
_deactivation = tables.deactivation
_former = tables.former_membership
_group = tables.group

_PAGE = 1000
ENDED = "ended"
# these have rows of their own, which say more, and which runs from before the record have as well
_FROM_ROWS = (ChangeKind.DEACTIVATED, ChangeKind.LEFT)


def outcomes_of_run(connection: Connection, run: Run) -> Iterator[Outcome]:
    """What the run did, each kind of change in the order of contacts."""
    mine = _deactivation.c.from_contact.is_(None)
    opened = (_deactivation.c.run_id == run.id) & mine
    ended = (_deactivation.c.ended_by_run_id == run.id) & mine
    for statement in (
        _of_deactivations(ChangeKind.DEACTIVATED, _deactivation.c.started_at, opened),
        _of_deactivations(ENDED, _deactivation.c.ended_at, ended),
        _of_memberships(run.id),
    ):
        streamed = connection.execution_options(stream_results=True, yield_per=_PAGE)
        for row in streamed.execute(statement):
            group = scope_name(row.group_id, row.group_name)
            email = _address(row.email)
            yield Outcome(
                row.contact_id, email, row.change, row.at, group, row.origin, row.category
            )
    others = [kind for kind in ChangeKind if kind not in _FROM_ROWS]
    for change in changes_of_run(connection, run.id, others):
        yield Outcome(change.contact, change.email, change.kind, change.at, change.group)


def _of_deactivations(
    change: str, at: ColumnElement[Any], where: ColumnElement[bool]
) -> Select[Any]:
    return (
        select(
            _deactivation.c.contact_id,
            _contact.c.email,
            literal(change).label("change"),
            at.label("at"),
            _deactivation.c.group_id,
            _group.c.name.label("group_name"),
            _deactivation.c.origin,
            _deactivation.c.category,
        )
        .join(_contact, _contact.c.id == _deactivation.c.contact_id)
        .outerjoin(_group, _group.c.id == _deactivation.c.group_id)
        .where(where)
        .order_by(_deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.category)
    )


def _of_memberships(run_id: int) -> Select[Any]:
    return (
        select(
            _former.c.contact_id,
            _contact.c.email,
            literal(ChangeKind.LEFT.value).label("change"),
            _former.c.ended_at.label("at"),
            _former.c.group_id,
            _former.c.group_name,
            literal("").label("origin"),
            literal("").label("category"),
        )
        .join(_contact, _contact.c.id == _former.c.contact_id)
        .where(_former.c.run_id == run_id)
        .order_by(_former.c.contact_id, _former.c.group_id)
    )


def _address(email: str) -> str | None:
    """An anonymised contact has a name that is not an address."""
    return email if "@" in email else None
