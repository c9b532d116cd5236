"""Contacts one by one: found by address or number, with everything that belongs to them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from contactctl.domain.contacts import (
    ContactRecord,
    DeactivationRecord,
    ExternalId,
    GroupMembership,
    MembershipState,
    Origin,
    Status,
)
from contactctl.domain.criteria.fields import (
    EXTERNAL_ID_FIELD,
    NOT_COUNTED_FIELD,
    RESPONSES_PREFIX,
    UNSUBSCRIBED_FIELD,
    UNSUBSCRIBED_FROM_FIELD,
    did_you_mean,
)
from contactctl.domain.emails import email_key
from contactctl.domain.errors import NotFoundError, UsageError
from contactctl.domain.groups import scope_name
from contactctl.domain.responses import Category
from contactctl.domain.text import show_safely
from contactctl.store import tables
from contactctl.store.addresses import contact_of_former, former_addresses, id_of_key
from contactctl.store.fields import RECORD_COLUMNS, VALUE_COLUMNS, is_one_of
from contactctl.store.groups import find_group, group_names
from contactctl.store.predicates import counts_by_email, how_many, is_unsubscribe
from contactctl.store.tables import contact_tag

T = TypeVar("T")

_SOME = 1000


def tags_among(connection: sa.Connection, tags: Collection[str]) -> set[str]:
    """Those of the folded tags that some contact carries."""
    column = contact_tag.c.tag_folded
    found = sa.select(column).where(is_one_of(column, tags, connection.dialect.name)).distinct()
    return set(connection.execute(found).scalars())


def some_tags(connection: sa.Connection) -> list[str]:
    """Folded tags to guess a mistyped one from; not all where there are very many."""
    found = sa.select(contact_tag.c.tag_folded).distinct().limit(_SOME)
    return list(connection.execute(found).scalars())


_contact = tables.contact
_group = tables.group
_tag = tables.contact_tag

# no foreign key leads from these to the contact: it would lock each contact's row once more
WITHOUT_FOREIGN_KEY = (tables.deactivation, tables.delivery, tables.external_id)


def delete_with_theirs(
    connection: sa.Connection, are_meant: Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]
) -> int:
    """Delete the contacts whose id is meant, with all rows that are theirs; returns how many."""
    for table in WITHOUT_FOREIGN_KEY:
        connection.execute(sa.delete(table).where(are_meant(table.c.contact_id)))
    return connection.execute(sa.delete(_contact).where(are_meant(_contact.c.id))).rowcount


_membership = tables.membership
_deactivation = tables.deactivation
_response = tables.response
_external = tables.external_id


def keys_after(connection: sa.Connection, last_id: int, limit: int) -> list[tuple[int, str]]:
    """Ids and keys of the next contacts behind an id, in its order."""
    statement = (
        sa.select(_contact.c.id, _contact.c.email_key)
        .where(_contact.c.id > last_id)
        .order_by(_contact.c.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def count_of_domain(connection: sa.Connection, domain: str) -> int:
    """How many contacts have an address of this domain."""
    return how_many(connection, _contact, _contact.c.email_domain == domain)


def has_contact(connection: sa.Connection, contact_id: int) -> bool:
    """Whether there is a contact of that number."""
    statement = sa.select(_contact.c.id).where(_contact.c.id == contact_id)
    return connection.execute(statement).first() is not None


def is_anonymised(connection: sa.Connection, contact_id: int) -> bool:
    """Whether the contact has a number in place of its address."""
    statement = sa.select(_contact.c.email_key).where(_contact.c.id == contact_id)
    return "@" not in str(connection.execute(statement).scalar_one())


def get_record(connection: sa.Connection, contact_id: int) -> ContactRecord:
    """The contact of that number with all that is stored about it; NotFoundError: no such."""
    statement = sa.select(*RECORD_COLUMNS).where(_contact.c.id == contact_id)
    rows = connection.execute(statement).mappings().all()
    if not rows:
        raise NotFoundError(f"contact {contact_id} has just been deleted")
    return to_records(connection, rows)[0]


def to_records(
    connection: sa.Connection, rows: Sequence[sa.RowMapping], fields: Collection[str] | None = None
) -> list[ContactRecord]:
    """Rows of RECORD_COLUMNS with what other tables hold, in the same order.

    With `fields`, only what these fields show is looked up.
    """
    ids = [row["id"] for row in rows]

    def asked(beginning: str, read: Callable[..., dict[int, Any]]) -> dict[int, Any]:
        is_wanted = fields is None or any(name.startswith(beginning) for name in fields)
        return read(connection, ids) if is_wanted else {}

    tags = asked("tag", _tags)
    memberships = asked("group", _memberships)
    deactivations = asked("deactivat", _deactivations)
    responses = asked(RESPONSES_PREFIX, _responses)
    not_counted = asked(NOT_COUNTED_FIELD, _not_counted)
    unsubscribed = asked(UNSUBSCRIBED_FIELD, _unsubscribed)
    external_ids = asked(EXTERNAL_ID_FIELD, _external_ids)
    left = asked(UNSUBSCRIBED_FROM_FIELD, _unsubscribed_from)
    former = former_addresses(connection, ids) if fields is None else {}
    return [
        ContactRecord(
            id=row["id"],
            email=row["email"],
            email_domain=row["email_domain"],
            status=Status(row["status"]),
            values={name: row[name] for name in VALUE_COLUMNS},
            attributes=row["attributes"],
            tags=tags.get(row["id"], ()),
            groups=memberships.get(row["id"], ()),
            deactivations=deactivations.get(row["id"], ()),
            responses=responses.get(row["id"], {}),
            not_counted=not_counted.get(row["id"], ()),
            unsubscribed=unsubscribed.get(row["id"]),
            unsubscribed_from=left.get(row["id"], ()),
            former_addresses=former.get(row["id"], ()),
            external_ids=external_ids.get(row["id"], ()),
        )
        for row in rows
    ]


def _by_contact(
    connection: sa.Connection, statement: sa.Select[Any], make: Callable[..., T]
) -> dict[int, list[T]]:
    """What is made of the rest of each row, by the contact's id, which comes first."""
    found: dict[int, list[T]] = defaultdict(list)
    for contact_id, *rest in connection.execute(statement):
        found[contact_id].append(make(*rest))
    return found


def _tags(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    statement = (
        sa.select(_tag.c.contact_id, _tag.c.tag)
        .where(_tag.c.contact_id.in_(ids))
        .order_by(_tag.c.contact_id, _tag.c.tag_folded)
    )
    return _by_contact(connection, statement, str)


def _memberships(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[GroupMembership]]:
    statement = (
        sa.select(_membership.c.contact_id, _group.c.name, _membership.c.state)
        .join(_group, _group.c.id == _membership.c.group_id)
        .where(_membership.c.contact_id.in_(ids))
        .order_by(_membership.c.contact_id, _group.c.name_folded)
    )
    return _by_contact(
        connection, statement, lambda name, state: GroupMembership(name, MembershipState(state))
    )


def _responses(connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many of each category count, 0 included."""
    statement = (
        sa.select(_response.c.contact_id, _response.c.category, sa.func.count())
        .where(_response.c.contact_id.in_(ids), counts_by_email())
        .group_by(_response.c.contact_id, _response.c.category)
    )
    found = {contact_id: dict.fromkeys(map(str, Category), 0) for contact_id in ids}
    for contact_id, category, number in connection.execute(statement):
        found[contact_id][category] = number
    return found


def _not_counted(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Why responses do not count, each reason once."""
    reason = _response.c.not_counted
    statement = (
        sa.select(_response.c.contact_id, reason)
        .where(_response.c.contact_id.in_(ids), reason != "")
        .distinct()
        .order_by(_response.c.contact_id, reason)
    )
    return _by_contact(connection, statement, str)


def _unsubscribed(connection: sa.Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """When each last unsubscribed."""
    statement = (
        sa.select(_response.c.contact_id, sa.func.max(_response.c.occurred_at))
        .where(_response.c.contact_id.in_(ids), is_unsubscribe())
        .group_by(_response.c.contact_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _unsubscribed_from(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """The groups that each unsubscribed from."""
    statement = (
        sa.select(_response.c.contact_id, _group.c.name, _group.c.name_folded)
        .join(_group, _group.c.id == _response.c.group_id)
        .where(_response.c.contact_id.in_(ids), is_unsubscribe())
        .distinct()
        .order_by(_response.c.contact_id, _group.c.name_folded)
    )
    return _by_contact(connection, statement, lambda name, _folded: name)


def _external_ids(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[ExternalId]]:
    """What sources call each."""
    statement = (
        sa.select(_external.c.contact_id, _external.c.source, _external.c.external_id)
        .where(_external.c.contact_id.in_(ids))
        # as the key has it: in another order Postgres reads all ids of a source for each page
        .order_by(_external.c.contact_id, _external.c.source, _external.c.external_id)
    )
    return _by_contact(connection, statement, ExternalId)


def _deactivations(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, list[DeactivationRecord]]:
    """All deactivations, open and ended, oldest first."""
    columns = ("contact_id", "group_id", "origin", "category", "started_at", "ended_at")
    statement = (
        sa.select(
            *(_deactivation.c[name] for name in (*columns, "run_id", "ended_by_run_id")),
            _group.c.name,
        )
        .outerjoin(_group, _group.c.id == _deactivation.c.group_id)
        .where(_deactivation.c.contact_id.in_(ids))
        .order_by(_deactivation.c.started_at, _deactivation.c.run_id, _deactivation.c.category)
    )

    def record(group_id: int, origin: str, *rest: Any) -> DeactivationRecord:
        *others, group_name = rest
        return DeactivationRecord(scope_name(group_id, group_name), Origin(origin), *others)

    return _by_contact(connection, statement, record)


# One contact or group by what a person calls it; NotFoundError where there is none


_MOST_DIGITS = 18  # of a contact's id, which has 63 bits


def contact_named(connection: sa.Connection, name: str) -> int:
    """The id of a contact, from its email, now or before, or its number."""
    if name.isascii() and name.isdigit():
        number = int(name) if len(name) <= _MOST_DIGITS else 0
        contact_id = number if has_contact(connection, number) else None
    else:
        key = _key(name)
        contact_id = id_of_key(connection, key) or contact_of_former(connection, key)
    if contact_id is None:
        raise NotFoundError(
            f"no contact '{show_safely(name)}'",
            hint="`contactctl contacts list --where 'email contains ...'` finds contacts",
        )
    return contact_id


def group_named(connection: sa.Connection, name: str) -> tuple[int, str]:
    """Id and name, as stored, of a group."""
    found = find_group(connection, name)
    if found is None:
        close = did_you_mean(name, group_names(connection))
        raise NotFoundError(
            f"no group '{show_safely(name)}'",
            hint=close or "`contactctl groups list` shows the groups",
        )
    return found


def _key(email: str) -> str:
    try:
        return email_key(email)
    except ValueError as error:
        raise UsageError(
            f"'{show_safely(email)}' is not an email address: {error}",
            hint="give an email or a contact's id",
        ) from None
