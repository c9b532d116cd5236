"""Responses to addresses that no contact has: kept, and given to the contact when there is one."""

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
)

from contactctl.store import tables
from contactctl.store.tables import SYSTEM_WIDE

_contact = tables.contact
_group = tables.group
_response = tables.response
_unmatched = tables.unmatched_response

_SHARED_COLUMNS = (
    "source_key",
    "category",
    "counts",
    "not_counted",
    "held",
    "status",
    "diagnostic",
    "rule",
    "recipient",
    "channel",
    "occurred_at",
    "recorded_at",
    "source",
    "run_id",
    "host",
    "incident_id",
)


def adopt_unmatched(connection: Connection, keys: FromClause) -> None:
    """Give kept responses to the contacts that now have their address.

    `keys` has the column `email_key`, with the keys of contacts that may be new. What happened
    keeps its time and its run; the next sweep looks at the thresholds.
    """
    if connection.execute(select(_unmatched.c.source_key).limit(1)).first() is None:
        return
    columns = ["contact_id", "group_id", *_SHARED_COLUMNS]
    connection.execute(insert(_response).from_select(columns, _adopted(keys)))
    has_contact = exists().where(_contact.c.email_key == _unmatched.c.email_key)
    connection.execute(
        delete(_unmatched).where(_unmatched.c.email_key.in_(select(keys.c.email_key)), has_contact)
    )


def unmatched_domain(dialect: str) -> ColumnElement[str]:
    """The domain in the address of an unmatched response."""
    key = _unmatched.c.email_key
    if dialect == "sqlite":
        return func.substr(key, func.instr(key, "@") + 1, type_=Text())
    return func.split_part(key, "@", 2, type_=Text())


def _adopted(keys: FromClause) -> Select[int]:
    """As rows of `response`, without what was recorded for the contact already."""
    recorded = exists().where(
        _response.c.contact_id == _contact.c.id, _response.c.source_key == _unmatched.c.source_key
    )
    return (
        select(
            _contact.c.id,
            func.coalesce(_group.c.id, SYSTEM_WIDE),
            *(_unmatched.c[name] for name in _SHARED_COLUMNS),
        )
        .select_from(
            keys.join(_unmatched, _unmatched.c.email_key == keys.c.email_key)
            .join(_contact, _contact.c.email_key == keys.c.email_key)
            .outerjoin(_group, _group.c.name_folded == _unmatched.c.group_folded)
        )
        .where(~recorded)
    )
