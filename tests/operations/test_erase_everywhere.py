"""Every column of every table that can hold text holds the address, and after erasing none does.

What there is to fill comes from the tables' own declaration, so that a new column is covered.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, insert
from sqlalchemy.exc import StatementError

from contactctl.config.policy import Bound
from contactctl.config.settings import LoadedSettings
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.operations.contacts import standing_of
from contactctl.operations.erasure import erase_one
from contactctl.store import tables
from contactctl.store.database.store import Store, open_store
from contactctl.store.types import Code, Json, UtcInstant, is_text
from helpers.contacts import add_contact
from helpers.dumps import Dump, dump
from helpers.sessions import make_session

ADDRESS = "Ann.Secret@mail.example.com"
KEY = ADDRESS.lower()
ANN, BOB = 9001, 9002  # numbers that no sequence comes to
OWN_ADDRESS = ("email", "email_key", "email_domain")
CODES = {
    "contact.status": "active",
    "membership.state": "follows",
    "deactivation.origin": "threshold",
    "run.kind": "ingest",
    "run.state": "done",
}


def columns() -> list[tuple[Table, Column[Any]]]:
    return [(table, column) for table in tables.metadata.sorted_tables for column in table.c]


def value_of(table: Table, column: Column[Any], holder: int) -> Any:
    """The address, in whatever holds text; something that fits, in any other column."""
    name = f"{table.name}.{column.name}"
    if isinstance(column.type, Code):
        return CODES.get(name, "transient")
    if isinstance(column.type, Json):
        return {f"of {KEY}": [KEY, {"n": 1}], "kept": 1}
    if is_text(column):
        return f"<{KEY if column.name.endswith('_folded') else ADDRESS}> {holder}"
    if isinstance(column.type, UtcInstant):
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=holder)
    kinds = {bool: True, int: holder, date: date(2024, 1, 1)}
    return kinds[column.type.python_type]


def fill(store: Store) -> None:
    """A row of every table that is about Ann, and one about Bob; suppressions are all hashes."""
    with store.writing() as connection:
        add_contact(connection, ADDRESS, id=ANN)
        add_contact(connection, "bob@example.com", id=BOB)
        for table in tables.metadata.sorted_tables:
            # hashes; commands of cron; each contact's own address, which goes with it
            if table in (tables.suppression, tables.routine, tables.contact_email):
                continue
            for holder in (ANN, BOB):
                row = {c.name: value_of(table, c, holder) for c in table.c if c.computed is None}
                if table is tables.contact:
                    row = {name: row[name] for name in row.keys() - {"id", *OWN_ADDRESS}}
                    here = table.c.id == holder
                    connection.execute(table.update().where(here).values(row))
                else:
                    connection.execute(insert(table).values(row))


def held_by(found: Dump, table: Table, column: Column[Any]) -> str:
    return str([row[list(table.c).index(column)] for row in found[table.name]]).lower()


@pytest.mark.parametrize("kind", [AnonymizeRun, DeleteRun])
def test_no_column_of_any_table_holds_the_address_any_more(
    store: Store, tmp_path: Path, kind: type[ErasingRun]
) -> None:
    fill(store)
    before = dump(store, without=())
    for table, column in columns():
        is_searched = is_text(column) or isinstance(column.type, Json)
        if is_searched and not isinstance(column.type, Code) and column.name not in OWN_ADDRESS:
            assert KEY in held_by(before, table, column), f"{table.name}.{column.name} is left out"

    session = make_session(store, suppression_key_file=tmp_path / "keys" / "suppression.key")
    session = replace(session, bound=Bound(LoadedSettings(session.settings), policy=BOB))
    erase_one(session, kind, standing_of(session, ADDRESS), reason=f"{ADDRESS} asked")

    after = dump(store, without=())
    for table, column in columns():
        assert "ann.secret" not in held_by(after, table, column), f"{table.name}.{column.name}"
    [bob] = [row for row in after["contact"] if row[0] == BOB]
    assert bob[list(tables.contact.c.keys()).index("company")] == f"<[erased]> {BOB}"
    assert bob[list(tables.contact.c.keys()).index("attributes")]["kept"] == 1
    assert len(after["group"]) == len(before["group"])  # names stay different
    assert len(after["response"]) == len(before["response"]) - 1  # her own goes with her


def test_columns_that_are_not_searched_take_no_address(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    for table, column in columns():
        if isinstance(column.type, Code):
            with store.writing() as connection, pytest.raises(StatementError, match="address"):
                connection.execute(table.update().values({column.name: ADDRESS}))
    store.close()


def test_rows_whose_keys_become_the_same_one_are_kept_once(store: Store, tmp_path: Path) -> None:
    with store.writing() as connection:
        add_contact(connection, ADDRESS, id=ANN)
        add_contact(connection, "bob@example.com", id=BOB)
        for key in (KEY, ADDRESS, "[erased]"):
            row = {c.name: value_of(tables.response, c, BOB) for c in tables.response.c}
            connection.execute(insert(tables.response).values(row | {"source_key": key}))

    session = make_session(store, suppression_key_file=tmp_path / "key")
    erase_one(session, DeleteRun, standing_of(session, ADDRESS))

    [left] = dump(store)["response"]
    kept = dict(zip(tables.response.c.keys(), left, strict=True))
    assert (kept["contact_id"], kept["source_key"]) == (BOB, "[erased]")
