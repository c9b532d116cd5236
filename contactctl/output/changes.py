"""How changes, and whom a run changed, are shown."""

from collections.abc import Callable, Iterator, Mapping

from contactctl.domain.changes import Change, Outcome
from contactctl.output.presentation import Column, Presentation, Rows, RowsTable

_CHANGE_COLUMNS = (
    Column("number"),
    Column("at"),
    Column("change"),
    Column("contact"),
    Column("email", yields=True),
    Column("previous_email", "PREVIOUS EMAIL", yields=True),
    Column("group"),
    Column("group_id", for_people=False),
    Column("state"),
    Column("into"),
    Column("run"),
)
CHANGE_FIELDS = tuple(column.key for column in _CHANGE_COLUMNS)
_OUTCOME_COLUMNS = (
    Column("contact"),
    Column("email", yields=True),
    Column("change"),
    Column("group"),
    Column("origin"),
    Column("category"),
    Column("at"),
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
    return {
        "number": change.number,
        "at": change.at,
        "change": change.kind,
        "contact": change.contact,
        "email": change.email,
        "previous_email": change.previous_email,
        "group": change.group,
        "group_id": change.group_id,
        "state": change.state or None,
        "into": change.into,
        "run": change.run,
    }


def _outcome_row(outcome: Outcome) -> Mapping[str, object]:
    row = {name: getattr(outcome, name) for name in OUTCOME_FIELDS}
    return row | {"origin": outcome.origin or None, "category": outcome.category or None}
