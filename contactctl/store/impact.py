"""Totals over the whole store, and what a change of status means to them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from contactctl.domain.contacts import MembershipState
from contactctl.domain.responses import UNSUBSCRIBED
from contactctl.domain.runs import Run, RunKind
from contactctl.store import tables
from contactctl.store.predicates import is_active, is_active_by_index, is_open_system_wide
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_deactivation = tables.deactivation
_group = tables.group
_run = tables.run


def count_active(connection: Connection) -> int:
    """How many contacts are active."""
    statement = select(func.count()).select_from(_contact).where(is_active_by_index())
    return int(connection.execute(statement).scalar_one())


def contacts_by_status(connection: Connection) -> dict[str, int]:
    """Number of contacts per status."""
    statement = select(_contact.c.status, func.count()).group_by(_contact.c.status)
    return {row[0]: row[1] for row in connection.execute(statement)}


def open_deactivations(connection: Connection) -> list[tuple[str, str, int]]:
    """(origin, category, number) of the open system-wide deactivations, most first."""
    columns = (_deactivation.c.origin, _deactivation.c.category)
    number = func.count()
    statement = (
        select(*columns, number)
        .where(is_open_system_wide())
        .group_by(*columns)
        .order_by(number.desc(), *columns)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def count_unsubscribes(connection: Connection) -> tuple[int, int]:
    """How many unsubscribes are recorded, of contacts and of addresses that no contact has."""
    numbers = (
        select(func.count()).where(table.c.category == literal_column(f"'{UNSUBSCRIBED}'"))
        for table in (tables.response, tables.unmatched_response)
    )
    of_contacts, of_nobody = (int(connection.execute(each).scalar_one()) for each in numbers)
    return of_contacts, of_nobody


def count_held(connection: Connection) -> int:
    """How many responses are held, those of addresses that no contact has included."""
    return sum(
        int(connection.execute(select(func.count()).where(table.c.held)).scalar_one())
        for table in (tables.response, tables.unmatched_response)
    )


def responses_since(connection: Connection, since: datetime) -> dict[str, int]:
    """Number of counted responses per category that happened from `since` on."""
    numbers: Counter[str] = Counter()
    for table in (tables.response, tables.unmatched_response):
        statement = (
            select(table.c.category, func.count())
            .where(table.c.occurred_at >= since, table.c.counts)
            .group_by(table.c.category)
        )
        numbers.update({row[0]: row[1] for row in connection.execute(statement)})
    return dict(sorted(numbers.items()))


def any_bypass(connection: Connection) -> bool:
    """Whether a group's own settings may say that it bypasses system-wide deactivation."""
    statement = select(_group.c.id).where(cast(_group.c.settings, Text).like("%bypass%")).limit(1)
    return connection.execute(statement).first() is not None


def deactivations_per_month(connection: Connection, since: datetime) -> dict[str, int]:
    """Number of deactivations started per month (`YYYY-MM`, UTC) from `since` on.

    Those that turned out to be a mistake do not count: of an incident, or of a run that was undone.
    """
    started = _deactivation.c.started_at
    if connection.dialect.name == "sqlite":
        month = func.strftime("%Y-%m", started)
    else:
        month = func.to_char(started, "YYYY-MM")
    undone = select(_run.c.id).where(_run.c.kind == RunKind.UNDO)
    ended_by = _deactivation.c.ended_by_run_id
    is_mistake = or_(_deactivation.c.taken_back, and_(ended_by.is_not(None), ended_by.in_(undone)))
    statement = select(month, func.count()).where(started >= since, ~is_mistake).group_by(month)
    return {row[0]: row[1] for row in connection.execute(statement)}


# What a change of status means: to the active total, and to what groups mail


_item = tables.plan_item
_membership = tables.membership

_follows = _membership.c.state == MembershipState.FOLLOWS


@dataclass(frozen=True, slots=True)
class Shift:
    """Contacts that become inactive, and by group the members that it mails now and then no more.

    Or, where it `brings_back`, contacts that become active, and members that are mailed again.
    """

    contacts: int
    members: dict[str, int]
    brings_back: bool = False


def losses_of_contacts(
    connection: Connection, active_ids: Select[int], count: int, bypassing: Collection[int]
) -> Shift:
    """When these `count` active contacts become inactive.

    A group that bypasses system-wide deactivation (`bypassing`, by id) loses nobody by it.
    """
    lost = and_(_loses_followers(bypassing), _membership.c.contact_id.in_(active_ids))
    return Shift(count, members_by_group(connection, lost))


def losses_of_plan(connection: Connection, run: Run, bypassing: Collection[int]) -> Shift:
    """When a plan is carried out: it may deactivate in one group alone, or the inactive again."""
    becomes_inactive = and_(_is_planned(run.id, _item.c.group_id == SYSTEM_WIDE), is_active())
    leaving = select(func.count()).select_from(_contact).where(becomes_inactive)
    is_mailed = or_(
        _membership.c.state == MembershipState.ACTIVE,
        and_(_follows, is_active()),
        and_(_follows, _membership.c.group_id.in_(bypassing)),
    )
    lost = or_(
        and_(_loses_followers(bypassing), becomes_inactive),
        and_(is_mailed, _is_planned(run.id, _item.c.group_id == _membership.c.group_id)),
    )
    return Shift(int(connection.execute(leaving).scalar_one()), members_by_group(connection, lost))


def _loses_followers(bypassing: Collection[int]) -> ColumnElement[bool]:
    """Memberships that go by the contact's status."""
    return and_(_follows, _membership.c.group_id.not_in(bypassing))


def _is_planned(run_id: int, in_scope: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(_item.c.contact_id == _contact.c.id, _item.c.run_id == run_id, in_scope)


def members_by_group(connection: Connection, chosen: ColumnElement[bool]) -> dict[str, int]:
    """How many memberships are chosen, by group, most first; contacts are joined to them."""
    number = func.count()
    statement = (
        select(_group.c.name, number)
        .select_from(
            _membership.join(_group, _group.c.id == _membership.c.group_id).join(
                _contact, _contact.c.id == _membership.c.contact_id
            )
        )
        .where(chosen)
        .group_by(_group.c.name)
        .order_by(number.desc(), _group.c.name)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
