"""What is asked of rows in many places, each said once."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from contactctl.domain.contacts import Origin, Status
from contactctl.domain.responses import UNSUBSCRIBED, WISHES
from contactctl.store.tables import SYSTEM_WIDE, contact, deactivation, response
from contactctl.store.types import UtcInstant

Clause = sa.ColumnElement[bool]
Id = sa.ColumnElement[int] | int


def is_active() -> Clause:
    """Active contacts; bound, so that SQLite finds them by other indexes than the partial one."""
    return contact.c.status == Status.ACTIVE


def is_active_by_index() -> Clause:
    """The same; a literal, so that SQLite too uses the partial index."""
    return contact.c.status == sa.literal_column("'active'")


def is_open(of: sa.FromClause = deactivation) -> Clause:
    """Deactivations that have not ended; `of` is the table, or an alias of it."""
    return of.c.ended_at.is_(None)


def is_open_system_wide(of: sa.FromClause = deactivation) -> Clause:
    """Those of them that make the contact inactive everywhere."""
    return sa.and_(of.c.group_id == SYSTEM_WIDE, is_open(of))


def is_open_of(run_id: int, of: sa.FromClause = deactivation) -> Clause:
    """Those that this run opened and nobody has ended."""
    return sa.and_(of.c.run_id == run_id, is_open(of))


def has_open(contact_id: Id, group_id: Id = SYSTEM_WIDE) -> Clause:
    """True where a deactivation of the contact is open in that group, or system-wide."""
    other = deactivation.alias()
    return sa.exists().where(
        other.c.contact_id == contact_id, other.c.group_id == group_id, is_open(other)
    )


def unsubscribed_from_all(contact_id: Id) -> Clause:
    """True where the person has unsubscribed from all mail, and nobody has taken that back."""
    wish = deactivation.alias()
    return sa.exists().where(
        wish.c.contact_id == contact_id,
        wish.c.origin == Origin.UNSUBSCRIBE,
        is_open_system_wide(wish),
    )


def counts_by_email() -> Clause:
    """Responses that count: towards thresholds, and in the `responses.` fields."""
    return sa.and_(response.c.counts, by_email())


def is_unsubscribe(of: sa.FromClause = response) -> Clause:
    """People's wishes to get no more mails; `of` may be what nobody's address wishes, too."""
    return sa.and_(is_wish(of), of.c.category == sa.literal_column(f"'{UNSUBSCRIBED}'"))


def is_wish(of: sa.FromClause = response) -> Clause:
    """What people wish, either way; in the words of the index on wishes, which need be literals."""
    return of.c.category.in_([sa.literal_column(f"'{wish}'") for wish in WISHES])


def by_email() -> Clause:
    """Responses to emails that nobody has yet to decide about; in the words of the index on what
    counts."""
    return sa.and_(~response.c.held, response.c.channel == sa.literal_column("'email'"))


def run_sql(
    connection: sa.Connection, statement: str, **values: Any
) -> sa.CursorResult[*tuple[Any, ...]]:
    """Execute SQL of our own words with those of the values, instants among them, that it names."""
    bound = (
        sa.bindparam(name, value, type_=UtcInstant() if isinstance(value, datetime) else None)
        for name, value in values.items()
        if f":{name}" in statement
    )
    return connection.execute(sa.text(statement).bindparams(*bound))


def one_number(connection: sa.Connection, statement: sa.Select[Any]) -> int:
    """The one number that a statement gives."""
    return int(connection.execute(statement).scalar_one())


def how_many(connection: sa.Connection, rows: sa.FromClause, *where: Clause) -> int:
    """How many rows of a table, or of a query, fulfil all of `where`."""
    return one_number(connection, sa.select(sa.func.count()).select_from(rows).where(*where))
