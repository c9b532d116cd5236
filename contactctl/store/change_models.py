"""The tables of what followers are told, and of the addresses that contacts had."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from contactctl.store.model_base import ZERO, StoreTable
from contactctl.store.types import BigId, Code, CodeText, UtcInstant


class Change(StoreTable, table=True):
    """A change of who may be mailed (domain.changes), written in the transaction that makes it.

    Transactions that change contacts take turns (locks.serialise), each until its commit; so the
    numbers are in the order of the commits, and who sees one sees all below it.

    A row is of one contact; or, with `last_contact_id`, of a whole batch: of everybody in that
    stretch of ids of whom the run, or before any record (run 0) the time, says that it holds.
    """

    __tablename__ = "change"
    __table_args__ = (Index("change_run", "run_id"), {"sqlite_autoincrement": True})

    number: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    run_id: int
    kind: str = Field(sa_type=Code)
    contact_id: int = Field(sa_type=BigId)
    last_contact_id: int | None = Field(default=None, sa_type=BigId)
    group_id: int = Field(default=0, sa_column_kwargs=ZERO)
    state: str = Field(default="", sa_type=CodeText, sa_column_kwargs={"server_default": ""})
    into_id: int | None = Field(default=None, sa_type=BigId)
    at: datetime = Field(sa_type=UtcInstant)


class FormerAddress(StoreTable, table=True):
    """An address that a contact had until a change; what comes to it leads to the contact.

    `from_contact` had it where that one was merged into this one.
    """

    __tablename__ = "former_address"
    __table_args__ = (Index("former_address_email_key", "email_key"), {"sqlite_with_rowid": False})

    contact_id: int = Field(
        sa_type=BigId,
        primary_key=True,
        foreign_key="contact.id",
        ondelete="CASCADE",
        sa_column_kwargs={"autoincrement": False},
    )
    change_number: int = Field(
        sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    email: str
    email_key: str
    run_id: int
    ended_at: datetime = Field(sa_type=UtcInstant)
    from_contact: int | None = Field(default=None, sa_type=BigId)
