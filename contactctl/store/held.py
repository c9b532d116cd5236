"""Held responses: set aside while it is open whether they count, then released or discarded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from contactctl.domain.responses import HeldFilter
from contactctl.domain.runs import RunKind, RunState
from contactctl.store import tables
from contactctl.store.threshold_sql import ContactIds
from contactctl.store.unmatched import unmatched_domain

_contact = tables.contact
_item = tables.plan_item
_response = tables.response
_run = tables.run
_unmatched = tables.unmatched_response

Holds = Callable[[int, int], bool]  # (blocked, all counted responses of a domain)

DISCARDED = "discarded"  # response.not_counted of one that somebody decided against


@dataclass(frozen=True, slots=True)
class Incident:
    """A domain whose `blocked` responses of one ingest are held, of `responses` in all."""

    domain: str
    held: int
    responses: int


def judge_held(connection: Connection, run_id: int, holds: Holds, at_least: int) -> list[Incident]:
    """Let go what an ingest has held to be safe, except where it looks like an incident.

    A domain is looked at from `at_least` held responses on, those of nobody included: they count
    as soon as their contact is imported.
    """
    held = _held_by_domain(connection, run_id, at_least)
    totals = _counted_by_domain(connection, run_id, list(held)) if held else {}
    incidents = [
        Incident(domain, number, totals[domain])
        for domain, number in sorted(held.items())
        if holds(number, totals[domain])
    ]
    domains = [incident.domain for incident in incidents]
    of_incident = exists().where(
        _contact.c.id == _response.c.contact_id, _contact.c.email_domain.in_(domains)
    )
    dialect = connection.dialect.name
    for table, kept in (
        (_response, of_incident),
        (_unmatched, unmatched_domain(dialect).in_(domains)),
    ):
        let_go = and_(table.c.held, table.c.run_id == run_id, ~kept)
        connection.execute(update(table).where(let_go).values(held=False))
    return incidents


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


def _held_by_domain(connection: Connection, run_id: int, at_least: int) -> dict[str, int]:
    of_contacts = (
        select(_contact.c.email_domain.label("domain"))
        .join_from(_response, _contact, _contact.c.id == _response.c.contact_id)
        .where(_response.c.held, _response.c.run_id == run_id)
    )
    of_nobody = select(unmatched_domain(connection.dialect.name)).where(
        _unmatched.c.held, _unmatched.c.run_id == run_id
    )
    every = union_all(of_contacts, of_nobody).subquery()
    statement = (
        select(every.c.domain, func.count())
        .group_by(every.c.domain)
        .having(func.count() >= at_least)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _counted_by_domain(
    connection: Connection, run_id: int, domains: Sequence[str]
) -> dict[str, int]:
    of_contacts = (
        select(_contact.c.email_domain.label("domain"))
        .select_from(
            _item.join(_contact, _contact.c.id == _item.c.contact_id).join(
                _response, _response.c.contact_id == _contact.c.id
            )
        )
        .where(
            _item.c.run_id == run_id,
            _contact.c.email_domain.in_(domains),
            _response.c.run_id == run_id,
            _response.c.counts,
        )
    )
    domain = unmatched_domain(connection.dialect.name)
    of_nobody = select(domain).where(
        _unmatched.c.run_id == run_id, _unmatched.c.counts, domain.in_(domains)
    )
    every = union_all(of_contacts, of_nobody).subquery()
    statement = select(every.c.domain, func.count()).group_by(every.c.domain)
    return {row[0]: row[1] for row in connection.execute(statement)}


def _decide(connection: Connection, chosen: HeldFilter, values: Mapping[str, object]) -> int:
    """Decide about held responses, those of nobody included; returns how many there were."""
    of_nobody: list[ColumnElement[bool]] = [_unmatched.c.held]
    if chosen.run_id is not None:
        of_nobody.append(_unmatched.c.run_id == chosen.run_id)
    if chosen.domain is not None:
        of_nobody.append(unmatched_domain(connection.dialect.name) == chosen.domain)
    return sum(
        connection.execute(update(table).where(which).values(values)).rowcount
        for table, which in ((_response, _is_chosen(chosen)), (_unmatched, and_(*of_nobody)))
    )


def _is_chosen(chosen: HeldFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [_response.c.held]
    if chosen.run_id is not None:
        conditions.append(_response.c.run_id == chosen.run_id)
    if chosen.domain is not None:
        of_domain = exists().where(
            _contact.c.id == _response.c.contact_id, _contact.c.email_domain == chosen.domain
        )
        conditions.append(of_domain)
    return and_(*conditions)
