"""store/tables.json says what the models declare; UPDATE_SNAPSHOTS=1 writes it anew."""

import os
from pathlib import Path

from sqlalchemy import Table
from sqlmodel import SQLModel

from contactctl.store import models, tables
from helpers.table_text import text_of


def test_the_tables_are_written_from_the_models() -> None:
    path = Path(str(tables.__file__)).with_suffix(".json")
    written = text_of(models.StoreTable.metadata)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(written)

    assert path.read_text() == written


def columns(table: Table) -> dict[str, tuple[object, ...]]:
    """What is said of each column: type, key, nullable, defaults, references."""
    return {
        column.name: (
            getattr(column.type, "impl", column.type).compile(),
            column.type.__class__.__name__.replace("AutoString", "String"),
            column.primary_key,
            column.nullable,
            column.autoincrement,
            column.default and getattr(column.default.arg, "__name__", column.default.arg),
            column.server_default and str(getattr(column.server_default, "arg", "computed")),
            column.computed is not None and str(column.computed.sqltext),
            {(key.target_fullname, key.ondelete) for key in column.foreign_keys},
        )
        for column in table.columns
    }


def test_a_table_is_that_of_its_model() -> None:
    for name in SQLModel.metadata.tables:
        model, table = SQLModel.metadata.tables[name], tables.metadata.tables[name]

        assert columns(table) == columns(model), name
        assert dict(table.kwargs) == dict(model.kwargs), name
        assert getattr(tables, name) is table, name
