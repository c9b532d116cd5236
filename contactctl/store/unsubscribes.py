"""Doing as people wish who unsubscribed: set-based, in the transaction that records the wish."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.policies import OnUnsubscribe
from contactctl.domain.responses import UNSUBSCRIBED, WISHES
from contactctl.domain.sums import Summed
from contactctl.store import tables
from contactctl.store.fields import is_one_of
from contactctl.store.predicates import is_unsubscribe, run_sql
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.temporary import temporary_tables


@dataclass(frozen=True, slots=True)
class Obeyed(Summed):
    """How many `contacts` became inactive, and how many `memberships` inactive or ended."""

    contacts: int = 0
    memberships: int = 0


# Where a contact has unsubscribed from: everywhere, or one of its groups. Nothing follows from what
# holds already, from what came before somebody took a later wish back, nor, after that, from a
# provider that goes on telling of the earlier one.
_WISHES = f"""
    INSERT INTO wish (contact_id, group_id, run_id)
    SELECT r.contact_id, r.group_id, min(r.run_id)
    FROM ({{told}}) told
    JOIN response r ON r.contact_id = told.contact_id AND r.source_key = told.source_key
    WHERE r.category = '{UNSUBSCRIBED}'
        AND (r.group_id = {SYSTEM_WIDE} OR EXISTS (
            SELECT 1 FROM membership m
            WHERE m.contact_id = r.contact_id AND m.group_id = r.group_id))
        AND NOT EXISTS (
            SELECT 1 FROM deactivation d
            WHERE d.contact_id = r.contact_id AND d.group_id = r.group_id
                AND d.origin = '{Origin.UNSUBSCRIBE}'
                AND (d.ended_at IS NULL OR d.ended_at >= r.occurred_at
                    OR r.not_counted = 'echo'))
    GROUP BY r.contact_id, r.group_id"""
_WISH_COLUMNS = "contact_id bigint, group_id integer, run_id bigint"
_DEACTIVATE = f"""
    INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)
    SELECT contact_id, group_id, run_id, '', '{Origin.UNSUBSCRIBE}', :now
    FROM wish{{scope}} ORDER BY contact_id, group_id
    ON CONFLICT DO NOTHING"""
_EVERYWHERE = f"group_id = {SYSTEM_WIDE}"
_IN_GROUPS = f"group_id <> {SYSTEM_WIDE}"
_WISHED_EVERYWHERE = f"(SELECT contact_id FROM wish WHERE {_EVERYWHERE})"
_WISHED_IN_GROUPS = f"(SELECT contact_id, group_id FROM wish WHERE {_IN_GROUPS})"
_CHANGE_CONTACTS = (
    "UPDATE contact SET revision = revision + 1, updated = :now"
    " WHERE id IN (SELECT contact_id FROM wish)"
)
_SET_INACTIVE = (
    f"UPDATE contact SET status = '{Status.INACTIVE}'"
    f" WHERE status = '{Status.ACTIVE}' AND id IN {_WISHED_EVERYWHERE}"
)
# an override lets messages pass that the person no longer wants
_CLEAR_OVERRIDES = (
    f"UPDATE membership SET state = '{MembershipState.FOLLOWS}'"
    f" WHERE state = '{MembershipState.ACTIVE}' AND contact_id IN {_WISHED_EVERYWHERE}"
)
_SET_MEMBERS_INACTIVE = (
    f"UPDATE membership SET state = '{MembershipState.INACTIVE}'"
    f" WHERE (contact_id, group_id) IN {_WISHED_IN_GROUPS}"
)
_KEEP_FORMER = f"""
    INSERT INTO former_membership (contact_id, run_id, group_id, group_name, added, ended_at)
    SELECT m.contact_id, w.run_id, m.group_id, g.name, m.added, :now
    FROM wish w
    JOIN membership m ON m.contact_id = w.contact_id AND m.group_id = w.group_id
    JOIN "group" g ON g.id = m.group_id
    WHERE w.{_IN_GROUPS}
    ON CONFLICT DO NOTHING"""
# what followers are told, each before it is done
_TELL = "INSERT INTO change (run_id, kind, contact_id, group_id, state, at)"
_TELL_WISHES = f"""{_TELL}
    SELECT run_id, '{ChangeKind.UNSUBSCRIBED}', contact_id, group_id, '', :now
    FROM wish ORDER BY contact_id, group_id"""
_TELL_INACTIVE = f"""{_TELL}
    SELECT w.run_id, '{ChangeKind.DEACTIVATED}', c.id, w.group_id, '', :now
    FROM wish w JOIN contact c ON c.id = w.contact_id
    WHERE w.{_EVERYWHERE} AND c.status = '{Status.ACTIVE}' ORDER BY c.id"""
_OF_WISHED_GROUP = "JOIN membership m ON m.contact_id = w.contact_id AND m.group_id = w.group_id"
_TELL_MEMBERS_INACTIVE = f"""{_TELL}
    SELECT w.run_id, '{ChangeKind.DEACTIVATED}', w.contact_id, w.group_id,
        '{MembershipState.INACTIVE}', :now
    FROM wish w {_OF_WISHED_GROUP}
    WHERE m.state <> '{MembershipState.INACTIVE}' ORDER BY w.contact_id, w.group_id"""
_TELL_LEFT = f"""{_TELL}
    SELECT w.run_id, '{ChangeKind.LEFT}', w.contact_id, w.group_id, '', :now
    FROM wish w {_OF_WISHED_GROUP} ORDER BY w.contact_id, w.group_id"""
# a CROSS JOIN, or SQLite reads all memberships, as they lie in this order
_TELL_OVERRIDES = f"""{_TELL}
    SELECT w.run_id, '{ChangeKind.OVERRIDE_CLEARED}', m.contact_id, m.group_id,
        '{MembershipState.FOLLOWS}', :now
    FROM wish w CROSS JOIN membership m
    WHERE m.contact_id = w.contact_id AND w.{_EVERYWHERE} AND m.state = '{MembershipState.ACTIVE}'
    ORDER BY m.contact_id, m.group_id"""
_END_MEMBERSHIPS = f"DELETE FROM membership WHERE (contact_id, group_id) IN {_WISHED_IN_GROUPS}"


def obey(
    connection: sa.Connection, told: str, on_unsubscribe: OnUnsubscribe, now: datetime
) -> Obeyed:
    """Do what follows from recorded unsubscribes; each belongs to the run that recorded it.

    `told` is SQL: a query of the (contact_id, source_key) of responses, others among them.
    """
    do = partial(run_sql, connection, now=now)
    with temporary_tables(connection, {"wish": _WISH_COLUMNS}):
        if do(_WISHES.format(told=told)).rowcount == 0:
            return Obeyed()
        do(_TELL_WISHES)
        if on_unsubscribe is OnUnsubscribe.RECORD:
            return Obeyed()
        do(_CHANGE_CONTACTS)
        if on_unsubscribe is OnUnsubscribe.REMOVE_FROM_GROUP:
            do(_DEACTIVATE.format(scope=f" WHERE {_EVERYWHERE}"))
            do(_KEEP_FORMER)
            do(_TELL_LEFT)
            memberships = do(_END_MEMBERSHIPS).rowcount
        else:
            do(_DEACTIVATE.format(scope=""))
            do(_TELL_MEMBERS_INACTIVE)
            memberships = do(_SET_MEMBERS_INACTIVE).rowcount
        do(_TELL_OVERRIDES)
        do(_CLEAR_OVERRIDES)
        do(_TELL_INACTIVE)
        return Obeyed(do(_SET_INACTIVE).rowcount, memberships)


_response, _deactivation, _membership = tables.response, tables.deactivation, tables.membership


def who_left(connection: sa.Connection, contact_ids: Collection[int]) -> set[tuple[int, int]]:
    """(contact, group) of those of these contacts who have left a group, are not in it, and neither
    wish to be in it again nor were brought back there by somebody.

    One whose deactivation there is open is not among them: it comes back as that.
    """
    anybody = sa.select(_response.c.run_id).where(is_unsubscribe()).limit(1)
    if not contact_ids or connection.execute(anybody).first() is None:
        return set()
    dialect = connection.dialect.name
    wishes = connection.execute(
        sa.select(
            *(_response.c[name] for name in ("contact_id", "group_id", "occurred_at", "category"))
        )
        .where(
            is_one_of(_response.c.contact_id, contact_ids, dialect),
            _response.c.category.in_(WISHES),
            _response.c.group_id != SYSTEM_WIDE,
        )
        .order_by(_response.c.occurred_at, _response.c.category)  # of one instant the wish to leave
    ).all()
    latest = {(row.contact_id, row.group_id): row for row in wishes}
    left = {pair: row for pair, row in latest.items() if row.category == UNSUBSCRIBED}
    if not left:
        return set()
    ids = {contact_id for contact_id, _ in left}
    taken_back = connection.execute(
        sa.select(_deactivation.c.contact_id, _deactivation.c.group_id, _deactivation.c.ended_at)
        .where(is_one_of(_deactivation.c.contact_id, ids, dialect))
        .where(_deactivation.c.origin == Origin.UNSUBSCRIBE)
    )
    for *pair, ended_at in taken_back:
        wish = left.get((pair[0], pair[1]))
        if wish is not None and (ended_at is None or ended_at >= wish.occurred_at):
            del left[pair[0], pair[1]]
    members = connection.execute(
        sa.select(_membership.c.contact_id, _membership.c.group_id).where(
            is_one_of(_membership.c.contact_id, ids, dialect)
        )
    )
    return left.keys() - {(row[0], row[1]) for row in members}
