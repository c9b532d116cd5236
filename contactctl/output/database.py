"""How checks, upgrades, grants, and a first store are shown."""

from collections.abc import Sequence

from contactctl.domain.errors import ExitCode
from contactctl.domain.results import Problem
from contactctl.operations.database import StoreCheck, Upgrade
from contactctl.operations.initialise import Initialised
from contactctl.output.presentation import (
    Column,
    KeyValues,
    Presentation,
    Rows,
    RowsTable,
    Text,
    Verbatim,
)

_CHECK_COLUMNS = (Column("check"), Column("broken"), Column("hint", wraps=True))


def present_check(check: StoreCheck) -> Presentation:
    """Each check with the number of rows that break it; exit 1 when one is broken."""
    items = [
        {"check": f.check, "broken": f.broken, "hint": f.hint if f.broken else ""}
        for f in check.findings
    ]
    data = {
        "database": check.database,
        "schema_version": check.schema_version,
        "in_order": check.in_order,
    }
    blocks = [KeyValues([("Database", check.database), ("Schema", check.schema_version)])]
    problems = [
        Problem("check", f"{f.check}: {f.broken:,} are not", f.hint)
        for f in check.findings
        if f.broken
    ]
    return Presentation(
        data,
        Rows("checks", _CHECK_COLUMNS, items),
        [*blocks, RowsTable()],
        problems=problems,
        exit_code=ExitCode.FAILURE if problems else ExitCode.DONE,
    )


def present_upgrade(upgrade: Upgrade) -> Presentation:
    """The schema's version before and after."""
    changed = upgrade.before != upgrade.after
    words = f"Schema {upgrade.before} -> {upgrade.after}" if changed else "Nothing to upgrade"
    data = {"database": upgrade.database, "before": upgrade.before, "after": upgrade.after}
    return Presentation(data, None, [Text(f"{upgrade.database}: {words}.")])


def present_grants(statements: Sequence[str]) -> Presentation:
    """SQL to be run by the database's owner."""
    data = {"statements": list(statements)}
    return Presentation(data, None, [Verbatim("\n".join(statements))])


def present_initialised(made: Initialised) -> Presentation:
    """What was made, and what to do next."""
    data = {
        "database": made.database,
        "config": str(made.config),
        "store_created": made.store_created,
        "config_written": made.config_written,
    }
    store = "created" if made.store_created else "was there already, unchanged"
    config = "written" if made.config_written else "was there already, unchanged"
    return Presentation(
        data,
        None,
        [
            KeyValues(
                [("Store", f"{made.database} ({store})"), ("Config", f"{made.config} ({config})")]
            ),
            Text("Next: contactctl contacts import FILE, then contactctl preview"),
        ],
    )
