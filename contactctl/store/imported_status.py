"""What an import says of the status of contacts that it creates; others stay as they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.policies import OnUnsubscribe
from contactctl.store import tables
from contactctl.store.fields import is_one_of
from contactctl.store.predicates import has_open, how_many, run_sql
from contactctl.store.staged import Staged
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.unsubscribes import who_left

_membership = tables.membership

INACTIVE_TABLE = "import_inactive"
INACTIVE_COLUMNS = (
    "position integer, category text, since timestamp with time zone,"
    " PRIMARY KEY (position, category)"
)

_ROW_OF = "JOIN import_row s ON s.position = {0}.position"
_KNOWN = "SELECT s.position FROM import_row s WHERE s.contact_id <= :last_id"


@dataclass(frozen=True, slots=True)
class Creating:
    """The run that creates contacts, the highest contact id from before it, and what follows when
    one of them had unsubscribed before it was known here."""

    run_id: int
    last_id: int
    on_unsubscribe: OnUnsubscribe


def last_contact_id(connection: sa.Connection) -> int:
    """The highest contact id so far, 0 without contacts: ids only grow."""
    return connection.execute(sa.select(sa.func.max(tables.contact.c.id))).scalar() or 0


def who_has_not_left(
    connection: sa.Connection,
    members: Sequence[Staged],
    contact_ids: Mapping[int, int],
    creating: Creating,
) -> Sequence[Staged]:
    """The memberships (position, group id, ...) that the person has not ended, where such a wish
    counts; `contact_ids` is by position."""
    if not members or creating.on_unsubscribe is OnUnsubscribe.RECORD:
        return members
    left = who_left(connection, list(contact_ids.values()))
    return [row for row in members if (contact_ids.get(row[0]), row[1]) not in left]


def leave_known_as_they_are(connection: sa.Connection, creating: Creating) -> list[int]:
    """Drop what the staged rows say of the status of contacts from before the run.

    Returns the positions of those who are active although their row says inactive. A group in which
    the row says inactive they do not join: it would bring them mail.
    """
    do = partial(run_sql, connection, last_id=creating.last_id)
    active = (
        "SELECT s.position FROM import_row s JOIN contact c ON c.id = s.contact_id"
        f" WHERE c.id <= :last_id AND c.status = '{Status.ACTIVE}'"
        f" AND s.position IN (SELECT position FROM {INACTIVE_TABLE}) ORDER BY s.position"
    )
    left_active = list(do(active).scalars())
    do(f"DELETE FROM {INACTIVE_TABLE} WHERE position IN ({_KNOWN})")
    do(
        f"DELETE FROM import_member WHERE state = '{MembershipState.INACTIVE}'"
        f" AND position IN ({_KNOWN})"
    )
    do(
        f"UPDATE import_member SET state = '{MembershipState.FOLLOWS}'"
        f" WHERE state = '{MembershipState.ACTIVE}' AND position IN ({_KNOWN})"
    )
    return left_active


def inactive_among(connection: sa.Connection, contact_ids: Sequence[int]) -> int:
    """How many of these contacts are inactive."""
    if not contact_ids:
        return 0
    among = is_one_of(tables.contact.c.id, contact_ids, connection.dialect.name)
    inactive = sa.and_(among, tables.contact.c.status == Status.INACTIVE)
    return how_many(connection, tables.contact, inactive)


def inactive_members(
    connection: sa.Connection,
    members: Sequence[Staged],
    contact_ids: Mapping[int, int],
    last_id: int,
) -> int:
    """How many contacts of these memberships were there before, and are inactive.

    `contact_ids` are by position.
    """
    positions = {member[0] for member in members}
    known = [contact_ids[at] for at in positions if contact_ids[at] <= last_id]
    return inactive_among(connection, known)


def deactivate_created(connection: sa.Connection, creating: Creating, now: datetime) -> int:
    """Open the deactivations of contacts of this run, and of their memberships that are inactive.

    Returns how many contacts became inactive.
    """
    do = partial(run_sql, connection, now=now, run_id=creating.run_id)
    opening = (
        "INSERT INTO deactivation (contact_id, group_id, run_id, category, origin, started_at)"
    )
    of_inactive = f"FROM {INACTIVE_TABLE} i {_ROW_OF.format('i')}"
    do(
        f"{opening} SELECT s.contact_id, {SYSTEM_WIDE}, :run_id, i.category, '{Origin.IMPORT}',"
        f" CASE WHEN i.since < :now THEN i.since ELSE :now END {of_inactive}"
        " WHERE true ON CONFLICT DO NOTHING"
    )
    became_inactive = do(
        f"UPDATE contact SET status = '{Status.INACTIVE}' WHERE status = '{Status.ACTIVE}'"
        f" AND id IN (SELECT s.contact_id {of_inactive})"
    ).rowcount
    members = (
        f"FROM import_member m {_ROW_OF.format('m')} WHERE m.state = '{MembershipState.INACTIVE}'"
    )
    do(
        f"UPDATE membership SET state = '{MembershipState.INACTIVE}' WHERE"
        f" (contact_id, group_id) IN (SELECT s.contact_id, m.group_id {members})"
    )
    do(
        f"{opening} SELECT s.contact_id, m.group_id, :run_id, '', '{Origin.IMPORT}', :now {members}"
        " ON CONFLICT DO NOTHING"
    )
    return became_inactive


def deactivate_rejoined(
    connection: sa.Connection, contact_ids: Collection[int], now: datetime
) -> list[tuple[int, int]]:
    """Of memberships that begin now: those that are inactive, as the contact is deactivated in the
    group still. Returns their (contact, group)."""
    if not contact_ids:
        return []
    opened = has_open(_membership.c.contact_id, _membership.c.group_id)
    rejoined = (
        sa.update(_membership)
        .where(
            is_one_of(_membership.c.contact_id, contact_ids, connection.dialect.name),
            _membership.c.added == now,
            opened,
        )
        .values(state=MembershipState.INACTIVE)
        .returning(_membership.c.contact_id, _membership.c.group_id)
    )
    return [(row[0], row[1]) for row in connection.execute(rejoined)]
