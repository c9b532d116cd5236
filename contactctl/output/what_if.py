"""How the effect of other thresholds is shown."""

from collections.abc import Mapping

from contactctl.domain.responses import Category
from contactctl.operations.what_if import WhatIf
from contactctl.output.presentation import (
    Block,
    Column,
    KeyValues,
    Presentation,
    Rows,
    RowsTable,
)

_COLUMNS = (
    Column("group"),
    Column("category"),
    Column("contacts"),
    Column("contacts_in_force", "IN FORCE NOW"),
)
WHAT_IF_FIELDS = tuple(column.key for column in _COLUMNS)

Scoped = tuple[str | None, Category]


def present_what_if(found: WhatIf) -> Presentation:
    """How many contacts the file's thresholds would deactivate now, by group and category."""
    data = {
        "file": str(found.file),
        "contacts": found.contacts,
        "active": found.active,
        "contacts_in_force": found.contacts_in_force,
    }
    scopes = dict.fromkeys([*found.by_scope, *found.by_scope_in_force])
    rows = [_row(scope, found.by_scope, found.by_scope_in_force) for scope in scopes]
    pairs = [
        ("Thresholds of", str(found.file)),
        ("Would deactivate", f"{found.contacts:,} contacts, {found.active:,} of them active"),
        ("In force now", f"{found.contacts_in_force:,} contacts are due"),
    ]
    blocks: list[Block] = [KeyValues(pairs), RowsTable(empty="(nobody)")]
    notes = [*found.warnings, "nothing was changed"]
    return Presentation(data, Rows("by_scope", _COLUMNS, rows), blocks, notes=notes)


def _row(
    scope: Scoped, found: Mapping[Scoped, int], in_force: Mapping[Scoped, int]
) -> dict[str, object]:
    group, category = scope
    return {
        "group": group,
        "category": category,
        "contacts": found.get(scope, 0),
        "contacts_in_force": in_force.get(scope, 0),
    }
