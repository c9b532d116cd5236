"""Column types that behave alike on SQLite and Postgres."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcInstant(sa.TypeDecorator[datetime]):
    """An aware UTC instant: timestamptz on Postgres, sortable text without zone on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Json(sa.TypeDecorator[Any]):
    """A JSON document: JSONB on Postgres, whose dialect is loaded for Postgres alone."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415  (costs 45 ms)

        return dialect.type_descriptor(JSONB())


class Code(sa.TypeDecorator[str]):
    """A word out of a closed list, or a hash: never text from outside, so never an address.

    ValueError for what could be one: the column is not searched when an address is erased.
    """

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        if value is not None and "@" in value:
            raise ValueError("text that may hold an address does not belong in a column of codes")
        return value


class CodeText(Code):
    """The same, for columns that were made as TEXT."""

    impl = sa.Text
    cache_ok = True


def is_text(column: sa.Column[Any]) -> bool:
    """Whether a column holds text, through whatever type of ours or SQLModel's."""
    return isinstance(getattr(column.type, "impl", column.type), sa.String)


# SQLite numbers rows itself only for a column of exactly the type INTEGER
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
