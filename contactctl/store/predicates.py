"""What is asked of rows in many places, each said once."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from contactctl.domain.contacts import Status
from contactctl.domain.responses import UNSUBSCRIBED, WISHES
from contactctl.store.tables import SYSTEM_WIDE, contact, deactivation, response

if TYPE_CHECKING:
    from contactctl.store.plans import Batch

Clause = sa.ColumnElement[bool]


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


def is_within(batch: "Batch", contact_id: sa.ColumnElement[int]) -> Clause:
    """The batch's stretch of contact ids, in whatever table."""
    return sa.and_(contact_id > batch.after, contact_id <= batch.last)
