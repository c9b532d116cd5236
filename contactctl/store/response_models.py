"""The tables of what is recorded of mails: responses, bursts of them, deliveries and clicks."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from contactctl.domain.thresholds import SYSTEM_WIDE
from contactctl.store.model_base import (
    EMPTY,
    NO_ROWID,
    StoreTable,
    contact_key,
    given_number,
    mentions_index,
)
from contactctl.store.types import BigId, Code, UtcInstant

_IS_WISH = "category IN ('unsubscribed', 'resubscribed')"
_COUNTS = "counts = 1 AND held = 0 AND channel = 'email'"


class _Recorded(StoreTable):
    """What is recorded of a response, whosever it is.

    `message` is what the mail's delivery has as its `source_hash`, 0 if not known.
    `mentions_others`: its texts may hold another address than the one that it is about.
    """

    category: str = Field(sa_type=Code)
    counts: bool
    not_counted: str = Field(default="", sa_type=Code)
    held: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    status: str = ""
    diagnostic: str = ""
    rule: str = ""
    evidence: str = Field(default="", sa_column_kwargs=EMPTY)
    through: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    recipient: str
    channel: str = Field(default="email", sa_type=Code)
    occurred_at: datetime = Field(sa_type=UtcInstant)
    recorded_at: datetime = Field(sa_type=UtcInstant)
    source: str = ""
    run_id: int
    host: str = Field(default="", sa_column_kwargs=EMPTY)
    message: int = Field(
        default=0, sa_type=BigId, sa_column_kwargs={"server_default": sa.text("0")}
    )
    incident_id: int | None = None
    mentions_others: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})


class Response(_Recorded, table=True):
    """One email response of a known contact (domain.responses.Response), or what the person wishes
    (Unsubscribe): its category is one of WISHES, its diagnostic the group as it was named.

    A held one waits for somebody to decide whether it counts (domain.bursts). `incident_id` says
    in which incident it is or was held: not held any more, it was released, or discarded.
    """

    __tablename__ = "response"
    __table_args__ = (
        # few at any time: what an ingest, or an operator, has yet to decide about
        sa.Index("response_held", "run_id", sqlite_where=sa.text("held = 1")),
        sa.Index("response_occurred", "occurred_at"),
        sa.Index("response_wish", "occurred_at", sqlite_where=sa.text(_IS_WISH)),
        # how many of one category each contact has, as criteria ask; the last three so that SQLite,
        # too, reads no row for what all of them are alike in
        sa.Index(
            "response_counted",
            *("category", "contact_id", "counts", "held", "channel"),
            sqlite_where=sa.text(_COUNTS),
        ),
        mentions_index("response"),
        NO_ROWID,
    )

    contact_id: int = contact_key()
    source_key: str = Field(primary_key=True)
    group_id: int = SYSTEM_WIDE


class Unswept(StoreTable, table=True):
    """A contact that the next sweep of thresholds looks at (store.thresholds.unswept).

    `is_begun`: a sweep has begun to, and nothing has happened to the contact since.
    """

    __tablename__ = "unswept"
    __table_args__ = NO_ROWID

    contact_id: int = contact_key()
    is_begun: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})


class UnmatchedResponse(_Recorded, table=True):
    """A response to an address that no contact has; joins its contact when one is imported.

    `group_folded` is the name, as compared, of the group that the response speaks of.
    """

    __tablename__ = "unmatched_response"
    __table_args__ = (
        sa.Index("unmatched_response_held", "run_id", sqlite_where=sa.text("held = 1")),
        sa.Index("unmatched_response_occurred", "occurred_at"),
        sa.Index("unmatched_response_wish", "occurred_at", sqlite_where=sa.text(_IS_WISH)),
        mentions_index("unmatched_response"),
        NO_ROWID,
    )

    email_key: str = Field(primary_key=True)
    source_key: str = Field(primary_key=True)
    group_folded: str = ""


class Delivery(StoreTable, table=True):
    """A mail that a contact received, once however often it is told; 1970 where nobody says when.

    `source_hash` tells those of one instant apart. One of several `mails`, with a hash of 0 or -1,
    stands for those that another program has counted (store.engagement.settle_imported).

    No foreign key, as for deactivations: it would lock each contact's row once more than the count
    of its mails does.
    """

    __tablename__ = "delivery"
    __table_args__ = NO_ROWID

    contact_id: int = given_number()
    occurred_at: datetime = Field(sa_type=UtcInstant, primary_key=True)
    source_hash: int = given_number()
    mails: int = Field(sa_column_kwargs={"server_default": sa.text("1")})


class Click(StoreTable, table=True):
    """A click of a person: a delivery that is read later can still show that it was a machine's."""

    __tablename__ = "click"
    __table_args__ = NO_ROWID

    contact_id: int = contact_key()
    occurred_at: datetime = Field(sa_type=UtcInstant, primary_key=True)


class ResponseRate(StoreTable, table=True):
    """How many responses of one hour are alike in what a burst can share (domain.bursts.Rate)."""

    __tablename__ = "response_rate"
    __table_args__ = NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)
    category: str = Field(sa_type=Code, primary_key=True)
    domain: str = Field(primary_key=True)
    host: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    responses: int
    released: int
    incident_id: int | None = None


class DeliveryRate(StoreTable, table=True):
    """How many mails were delivered to contacts at a domain within an hour."""

    __tablename__ = "delivery_rate"
    __table_args__ = NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)
    domain: str = Field(primary_key=True)
    deliveries: int


class UnjudgedHour(StoreTable, table=True):
    """An hour of which responses were recorded since its rates were last counted."""

    __tablename__ = "unjudged_hour"
    __table_args__ = NO_ROWID

    hour: datetime = Field(sa_type=UtcInstant, primary_key=True)


class Incident(StoreTable, table=True):
    """A burst whose responses are, or were, held (domain.bursts.BurstKey), from hour to hour.

    `run_id` is the run that met it first.
    """

    __tablename__ = "incident"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    shared_by: str = Field(sa_type=Code)
    name: str
    category: str = Field(sa_type=Code)
    first_hour: datetime = Field(sa_type=UtcInstant)
    last_hour: datetime = Field(sa_type=UtcInstant)
    run_id: int
