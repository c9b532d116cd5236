"""How the effect of other thresholds and handling rules is shown."""

from contactctl.operations.what_if import Rule, WhatIf
from contactctl.output.presentation import (
    Block,
    Column,
    KeyValues,
    Presentation,
    Rows,
    RowsTable,
)
from contactctl.output.values import counted

_COLUMNS = (
    Column("action"),
    Column("group"),
    Column("category"),
    Column("contacts"),
    Column("contacts_in_force", "IN FORCE NOW"),
)
WHAT_IF_FIELDS = tuple(column.key for column in _COLUMNS)


def present_what_if(effects: WhatIf) -> Presentation:
    """How many contacts are due now under the file's rules and under those in force."""
    found, in_force = effects.found, effects.in_force
    data = {
        "file": str(effects.file),
        "contacts": found.deactivated,
        "active": found.active,
        "contacts_in_force": in_force.deactivated,
        "handled": found.handled,
        "handled_in_force": in_force.handled,
    }
    rules = dict.fromkeys([*found.by_rule, *in_force.by_rule])
    rows = [_row(rule, effects) for rule in rules]
    pairs = [
        ("Rules of", str(effects.file)),
        (
            "Would deactivate",
            f"{counted(found.deactivated, 'contact')}, {found.active:,} active now"
            f" (rules in force: {in_force.deactivated:,})",
        ),
        (
            "Would handle",
            f"{counted(found.handled, 'contact')}, reactivated or removed from groups"
            f" (rules in force: {in_force.handled:,})",
        ),
    ]
    blocks: list[Block] = [KeyValues(pairs), RowsTable(empty="(nobody)")]
    notes = [*effects.warnings, "nothing was changed"]
    return Presentation(data, Rows("by_scope", _COLUMNS, rows), blocks, notes=notes)


def _row(rule: Rule, effects: WhatIf) -> dict[str, object]:
    return {
        "action": rule.action or "deactivate",
        "group": rule.group,
        "category": rule.category,
        "contacts": effects.found.by_rule.get(rule, 0),
        "contacts_in_force": effects.in_force.by_rule.get(rule, 0),
    }
