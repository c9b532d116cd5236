"""The text of store/tables.json: what the models (store/models.py) declare, for store/tables.py."""

import json
from typing import Any

from sqlalchemy import Column, Computed, DefaultClause, MetaData, Table, TextClause
from sqlalchemy.types import Boolean, Date, Float, Integer, String, TypeEngine

from contactctl.store import types


def text_of(metadata: MetaData) -> str:
    """The tables, a column a line."""
    return "{" + ",\n\n".join(map(_table, metadata.tables.values())) + "}\n"


def _table(table: Table) -> str:
    columns = ",\n".join(f"    {json.dumps(_column(column))}" for column in table.columns)
    options = json.dumps(dict(table.kwargs))
    return f'"{table.name}": {{\n  "options": {options},\n  "columns": [\n{columns}]}}'


def _column(column: Column[Any]) -> list[Any]:
    said: dict[str, Any] = {}
    for key in column.foreign_keys:
        said["references"] = [key.target_fullname, key.ondelete]
    if isinstance(column.server_default, Computed):
        said["computed"] = str(column.server_default.sqltext)
    if column.primary_key:
        said["primary_key"] = True
        if column.autoincrement is False:
            said["autoincrement"] = False
    elif not column.nullable:
        said["nullable"] = False
    if column.default is not None:
        given = column.default.arg
        said["default"] = {} if callable(given) else given
    if isinstance(column.server_default, DefaultClause):
        said |= _server_default(column.server_default.arg)
    return [column.name, _type(column.type), said]


def _server_default(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        return {"server_default": given}
    if isinstance(given, TextClause):
        return {"server_text": given.text}
    return {"server_default": {"true": True, "false": False}[str(given)]}


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
