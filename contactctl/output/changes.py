"""How changes, and whom a run changed, are shown."""

from collections.abc import Callable, Iterator, Mapping

from contactctl.domain.changes import Change, Outcome
from contactctl.output.presentation import Column, Presentation, Rows, RowsTable, columns

_CHANGE_COLUMNS = (
    *columns("number", "at", "change", "contact"),
    Column("email", yields=True),
    Column("previous_email", "PREVIOUS EMAIL", yields=True),
    Column("group"),
    Column("group_id", for_people=False),
    *columns("state", "into", "run"),
)
CHANGE_FIELDS = tuple(column.key for column in _CHANGE_COLUMNS)
_OUTCOME_COLUMNS = (
    Column("contact"),
    Column("email", yields=True),
    *columns("change", "group", "origin", "category", "at"),
)
OUTCOME_FIELDS = tuple(column.key for column in _OUTCOME_COLUMNS)


def present_changes(changes: Iterator[Change], delivered: Callable[[], None]) -> Presentation:
    """The changes as rows; `delivered` is called once all of them are written."""
    items = map(_change_row, changes)
    rows = Rows("changes", _CHANGE_COLUMNS, items)
    return Presentation(rows=rows, blocks=[RowsTable("(no changes)")], delivered=delivered)


def present_outcomes(run: int, outcomes: Iterator[Outcome]) -> Presentation:
    """Whom the run changed, as rows."""
    rows = Rows("contacts", _OUTCOME_COLUMNS, map(_outcome_row, outcomes))
    return Presentation({"run": run}, rows, [RowsTable("(no contacts)")])


def _change_row(change: Change) -> Mapping[str, object]:
    kept = {"change": change.kind, "state": change.state or None}
    return {name: kept[name] if name in kept else getattr(change, name) for name in CHANGE_FIELDS}


def _outcome_row(outcome: Outcome) -> Mapping[str, object]:
    row = {name: getattr(outcome, name) for name in OUTCOME_FIELDS}
    return row | {"origin": outcome.origin or None, "category": outcome.category or None}
