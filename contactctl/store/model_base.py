"""What all models share: their base, the first column of a contact's key, and defaults."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from contactctl.store.types import BigId, Json

# Partial indexes are partial on Postgres as well: the migrations say so.
NO_ROWID = {"sqlite_with_rowid": False}
ZERO = {"server_default": sa.text("0")}
EMPTY = {"server_default": ""}


def contact_key() -> Any:
    """A key's first column: the contact that the row belongs to, and goes with."""
    return Field(
        sa_type=BigId,
        primary_key=True,
        foreign_key="contact.id",
        ondelete="CASCADE",
        sa_column_kwargs={"autoincrement": False},
    )


def json_column() -> Any:
    return Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"server_default": "{}"})


class StoreTable(SQLModel):
    """What all tables are. Nothing is validated by them, so pydantic need not prepare to."""

    model_config = {"defer_build": True}
