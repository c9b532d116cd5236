"""The text of store/tables.py: what the models (store/models.py) declare, as SQLAlchemy Core."""

import re
from typing import Any

from sqlalchemy import Column, Computed, DefaultClause, MetaData, Table, TextClause
from sqlalchemy.types import Boolean, Date, Float, Integer, String, TypeEngine

from contactctl.store import types

_OWN = {"BigId", "Code", "CodeText", "Json", "UtcInstant"}
_CORE = {
    *("Column", "Computed", "ForeignKey", "MetaData", "Table"),
    *("Boolean", "Date", "Float", "Integer", "String"),
}
_FUNCTIONS = {"false", "text", "true"}
_HEAD = '''\
"""The tables for SQLAlchemy Core; `make docs` writes this file from store/models.py.

Every command loads it: the models, with SQLModel, its mapper and pydantic, would take another 0.2 s
at each start. Indexes are left to the models and the migrations.
"""
# fmt: off
# ruff: noqa: E501

from sqlalchemy import (
{sqlalchemy})

from contactctl.domain import thresholds
from contactctl.store.types import {types}

metadata = MetaData()
SYSTEM_WIDE = thresholds.SYSTEM_WIDE  # deactivation.group_id of one that holds everywhere
'''


def text_of(metadata: MetaData) -> str:
    """The module for these tables."""
    body = "".join(map(_table, metadata.tables.values()))
    words = set(re.findall(r"\b[A-Za-z]+\b(?=[(,)])", body))
    core = sorted({"MetaData", *words & _CORE}) + sorted(words & _FUNCTIONS)
    imported = "".join(f"    {name},\n" for name in core)
    return _HEAD.format(sqlalchemy=imported, types=", ".join(sorted(words & _OWN))) + body


def _table(table: Table) -> str:
    columns = "".join(f"    {_column(column)},\n" for column in table.columns)
    options = "".join(f"    {key}={value!r},\n" for key, value in table.kwargs.items())
    return f'\n{table.name} = Table(\n    "{table.name}", metadata,\n{columns}{options})\n'


def _column(column: Column[Any]) -> str:
    parts = [f'"{column.name}"', _type(column.type)]
    parts += [_foreign_key(key) for key in column.foreign_keys]
    if isinstance(column.server_default, Computed):
        parts.append(f'Computed("{column.server_default.sqltext}")')
    if column.primary_key:
        parts.append("primary_key=True")
        if column.autoincrement is False:
            parts.append("autoincrement=False")
    elif not column.nullable:
        parts.append("nullable=False")
    if column.default is not None:
        given = column.default.arg
        parts.append("default=dict" if callable(given) else f"default={given!r}")
    if isinstance(column.server_default, DefaultClause):
        parts.append(f"server_default={_server_default(column.server_default.arg)}")
    return f"Column({', '.join(parts)})"


def _foreign_key(key: Any) -> str:
    on_delete = f', ondelete="{key.ondelete}"' if key.ondelete else ""
    return f'ForeignKey("{key.target_fullname}"{on_delete})'


def _server_default(given: Any) -> str:
    if isinstance(given, str):
        return repr(given)
    if isinstance(given, TextClause):
        return f'text("{given.text}")'
    return f"{given}()"


def _type(given: TypeEngine[Any]) -> str:
    if given is types.BigId or type(given).__name__ == "BigInteger":
        return "BigId"
    for own in (types.UtcInstant, types.Json, types.CodeText, types.Code):
        if type(given) is own:
            return own.__name__
    for plain in (Boolean, Date, Float, Integer):
        if type(given) is plain:
            return plain.__name__
    assert isinstance(getattr(given, "impl", given), String), given
    return "String"
