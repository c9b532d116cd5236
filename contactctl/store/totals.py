"""Totals over the whole store, for `status`."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from contactctl.store import tables
from contactctl.store.predicates import is_active_by_index, is_open_system_wide

_contact = tables.contact
_deactivation = tables.deactivation


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


def deactivations_per_month(connection: Connection, since: datetime) -> dict[str, int]:
    """Number of deactivations started per month (`YYYY-MM`, UTC) from `since` on."""
    started = _deactivation.c.started_at
    if connection.dialect.name == "sqlite":
        month = func.strftime("%Y-%m", started)
    else:
        month = func.to_char(started, "YYYY-MM")
    statement = select(month, func.count()).where(started >= since).group_by(month)
    return {row[0]: row[1] for row in connection.execute(statement)}
