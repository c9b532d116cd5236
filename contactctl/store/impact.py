"""Totals over the whole store, and what a change of status means to them."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from contactctl.domain.contacts import MembershipState
from contactctl.domain.lazy import dataclass
from contactctl.domain.runs import Run, RunKind
from contactctl.store import tables
from contactctl.store.predicates import (
    how_many,
    is_active,
    is_active_by_index,
    is_open_system_wide,
    is_unsubscribe,
)
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_group = tables.group
_run = tables.run


def count_active(connection: sa.Connection) -> int:
    """How many contacts are active."""
    return how_many(connection, _contact, is_active_by_index())


def contacts_by_status(connection: sa.Connection) -> dict[str, int]:
    """Number of contacts per status."""
    statement = sa.select(_contact.c.status, sa.func.count()).group_by(_contact.c.status)
    return {row[0]: row[1] for row in connection.execute(statement)}


def open_deactivations(connection: sa.Connection) -> list[tuple[str, str, int]]:
    """(origin, category, number) of the open system-wide deactivations, most first."""
    columns = (_deactivation.c.origin, _deactivation.c.category)
    number = sa.func.count()
    statement = (
        sa.select(*columns, number)
        .where(is_open_system_wide())
        .group_by(*columns)
        .order_by(number.desc(), *columns)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def count_unsubscribes(connection: sa.Connection) -> tuple[int, int]:
    """How many unsubscribes are recorded, of contacts and of addresses that no contact has."""
    of_contacts, of_nobody = (
        how_many(connection, table, is_unsubscribe(table))
        for table in (tables.response, tables.unmatched_response)
    )
    return of_contacts, of_nobody


def count_held(connection: sa.Connection) -> int:
    """How many responses are held, those of addresses that no contact has included."""
    responses = (tables.response, tables.unmatched_response)
    return sum(how_many(connection, table, table.c.held) for table in responses)


def responses_since(connection: sa.Connection, since: datetime) -> dict[str, int]:
    """Number of counted responses per category that happened from `since` on."""
    numbers: Counter[str] = Counter()
    for table in (tables.response, tables.unmatched_response):
        statement = (
            sa.select(table.c.category, sa.func.count())
            .where(table.c.occurred_at >= since, table.c.counts)
            .group_by(table.c.category)
        )
        numbers.update({row[0]: row[1] for row in connection.execute(statement)})
    return dict(sorted(numbers.items()))


def any_bypass(connection: sa.Connection) -> bool:
    """Whether a group's own settings may say that it bypasses system-wide deactivation."""
    statement = (
        sa.select(_group.c.id).where(sa.cast(_group.c.settings, sa.Text).like("%bypass%")).limit(1)
    )
    return connection.execute(statement).first() is not None


def deactivations_per_month(connection: sa.Connection, since: datetime) -> dict[str, int]:
    """Number of deactivations started per month (`YYYY-MM`, UTC) from `since` on.

    Those that turned out to be a mistake do not count: of an incident, or of a run that was undone.
    """
    started = _deactivation.c.started_at
    if connection.dialect.name == "sqlite":
        month = sa.func.strftime("%Y-%m", started)
    else:
        month = sa.func.to_char(started, "YYYY-MM")
    undone = sa.select(_run.c.id).where(_run.c.kind == RunKind.UNDO)
    ended_by = _deactivation.c.ended_by_run_id
    is_mistake = sa.or_(
        _deactivation.c.taken_back, sa.and_(ended_by.is_not(None), ended_by.in_(undone))
    )
    statement = (
        sa.select(month, sa.func.count()).where(started >= since, ~is_mistake).group_by(month)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


# What a change of status means: to the active total, and to what groups mail


_item = tables.plan_item
_membership = tables.membership

_follows = _membership.c.state == MembershipState.FOLLOWS


@dataclass(frozen=True)
class Shift:
    """Contacts that become inactive, and by group the members that it mails now and then no more.

    Or, where it `brings_back`, contacts that become active, and members that are mailed again.
    """

    contacts: int
    members: dict[str, int]
    brings_back: bool = False


def losses_of_contacts(
    connection: sa.Connection, active_ids: sa.Select[int], count: int, bypassing: Collection[int]
) -> Shift:
    """When these `count` active contacts become inactive.

    A group that bypasses system-wide deactivation (`bypassing`, by id) loses nobody by it.
    """
    lost = sa.and_(_loses_followers(bypassing), _membership.c.contact_id.in_(active_ids))
    return Shift(count, _by_group(connection, _membership, lost))


def losses_of_plan(connection: sa.Connection, run: Run, bypassing: Collection[int]) -> Shift:
    """When a plan is carried out: it may deactivate in one group alone, or the inactive again."""
    becomes_inactive = sa.and_(_is_planned(run.id, _item.c.group_id == SYSTEM_WIDE), is_active())
    is_mailed = sa.or_(
        _membership.c.state == MembershipState.ACTIVE,
        sa.and_(_follows, is_active()),
        sa.and_(_follows, _membership.c.group_id.in_(bypassing)),
    )
    lost = sa.or_(
        sa.and_(_loses_followers(bypassing), becomes_inactive),
        sa.and_(is_mailed, _is_planned(run.id, _item.c.group_id == _membership.c.group_id)),
    )
    leaving = how_many(connection, _contact, becomes_inactive)
    return Shift(leaving, members_by_group(connection, lost))


def _loses_followers(bypassing: Collection[int]) -> sa.ColumnElement[bool]:
    """Memberships that go by the contact's status."""
    return sa.and_(_follows, _membership.c.group_id.not_in(bypassing))


def _is_planned(run_id: int, in_scope: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _item.c.contact_id == _contact.c.id, _item.c.run_id == run_id, in_scope
    )


def members_by_group(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> dict[str, int]:
    """How many memberships are chosen, by group, most first; contacts are joined to them."""
    with_contacts = _membership.join(_contact, _contact.c.id == _membership.c.contact_id)
    return _by_group(connection, with_contacts, chosen)


def _by_group(
    connection: sa.Connection, memberships: sa.FromClause, chosen: sa.ColumnElement[bool]
) -> dict[str, int]:
    """Numbers first, then names. By an expression, so that SQLite reads memberships in the order
    of contacts, and not each of them by way of the index on groups."""
    group_id = sa.type_coerce(_membership.c.group_id + 0, sa.Integer).label("group_id")
    counted = (
        sa.select(group_id, sa.func.count().label("members"))
        .select_from(memberships)
        .where(chosen)
        .group_by(group_id)
        .subquery()
    )
    statement = (
        sa.select(_group.c.name, counted.c.members)
        .join(counted, counted.c.group_id == _group.c.id)
        .order_by(counted.c.members.desc(), _group.c.name)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
