"""Held responses: set aside while it is open whether they count, then released or discarded."""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from contactctl.domain.responses import HeldFilter
from contactctl.domain.runs import RunKind, RunState
from contactctl.domain.thresholds import DISCARDED
from contactctl.store import tables
from contactctl.store.threshold_sql import ContactIds
from contactctl.store.unmatched import unmatched_domain

_contact = tables.contact
_item = tables.plan_item
_response = tables.response
_run = tables.run
_unmatched = tables.unmatched_response


def release_held(connection: Connection, run_id: int, chosen: HeldFilter) -> int:
    """Let held responses count; the contacts concerned go into the run's plan. Returns how many."""
    concerned = (
        select(_response.c.contact_id, literal(run_id), literal(0))
        .where(_is_chosen(chosen))
        .distinct()
    )
    connection.execute(insert(_item).from_select(["contact_id", "run_id", "revision"], concerned))
    return _decide(connection, chosen, {"held": False})


def discard_held(connection: Connection, chosen: HeldFilter) -> int:
    """Held responses stay on record and never count. Returns how many."""
    return _decide(connection, chosen, {"held": False, "counts": False, "not_counted": DISCARDED})


def contacts_concerned(run_ids: Sequence[int]) -> ContactIds:
    """The contacts whose thresholds these runs have yet to look at."""
    return select(_item.c.contact_id).where(_item.c.run_id.in_(run_ids)).distinct()


def runs_with_concerned(connection: Connection) -> list[int]:
    """The runs that ended before they had looked at the thresholds of all contacts concerned.

    Among them those that still say `running`, though they may have recorded nothing yet: who asks
    holds their lock, so their process has died.
    """
    kinds = _run.c.kind.in_((RunKind.INGEST, RunKind.RELEASE))
    with_items = select(_item.c.run_id).join(_run, _run.c.id == _item.c.run_id).where(kinds)
    dead = select(_run.c.id).where(kinds, _run.c.state == RunState.RUNNING)
    return sorted(connection.execute(with_items.union(dead)).scalars())


def forget_concerned(connection: Connection, run_ids: Sequence[int]) -> None:
    """The thresholds of these runs' contacts have been looked at."""
    connection.execute(delete(_item).where(_item.c.run_id.in_(run_ids)))


def incidents_of(connection: Connection, chosen: HeldFilter) -> list[int]:
    """The numbers of the incidents that the chosen responses are held in."""
    numbers = select(_response.c.incident_id).where(_is_chosen(chosen))
    of_nobody = select(_unmatched.c.incident_id).where(
        _is_chosen_of_nobody(connection.dialect.name, chosen)
    )
    found = connection.execute(numbers.union(of_nobody)).scalars()
    return sorted(number for number in found if number)


def _decide(connection: Connection, chosen: HeldFilter, values: Mapping[str, object]) -> int:
    """Decide about held responses, those of nobody included; returns how many there were.

    Each keeps a number of an incident, 0 where there is none: no other holds it again.
    """
    return sum(
        connection.execute(
            update(table)
            .where(which)
            .values(**values, incident_id=func.coalesce(table.c.incident_id, 0))
        ).rowcount
        for table, which in (
            (_response, _is_chosen(chosen)),
            (_unmatched, _is_chosen_of_nobody(connection.dialect.name, chosen)),
        )
    )


def _is_chosen(chosen: HeldFilter) -> ColumnElement[bool]:
    conditions = _conditions(_response, chosen)
    if chosen.domain is not None:
        of_domain = exists().where(
            _contact.c.id == _response.c.contact_id, _contact.c.email_domain == chosen.domain
        )
        conditions.append(of_domain)
    return and_(*conditions)


def _is_chosen_of_nobody(dialect: str, chosen: HeldFilter) -> ColumnElement[bool]:
    conditions = _conditions(_unmatched, chosen)
    if chosen.domain is not None:
        conditions.append(unmatched_domain(dialect) == chosen.domain)
    return and_(*conditions)


def _conditions(table: FromClause, chosen: HeldFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [table.c.held]
    if chosen.run_id is not None:
        conditions.append(table.c.run_id == chosen.run_id)
    if chosen.incident is not None:
        conditions.append(table.c.incident_id == chosen.incident)
    return conditions
