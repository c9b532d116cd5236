"""The contacts, active or not, that a change by criteria would affect; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contactctl.domain.confirmation import Stakes
from contactctl.domain.errors import UsageError
from contactctl.domain.runs import RunKind
from contactctl.operations.plans import stakes_of_change
from contactctl.operations.preview import PREVIEW_ROWS
from contactctl.operations.select import CriteriaSource, Selection, selection_of
from contactctl.operations.session import Session
from contactctl.store.preview import Where, count_where, first_rows, ids_where
from contactctl.store.totals import count_active


@dataclass(frozen=True, slots=True)
class Affected:
    """A selection of any contacts, counted, with its first rows."""

    database: str
    selection: Selection
    count: int
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    stakes: Stakes


def select_any(session: Session, source: CriteriaSource) -> Selection:
    """The criteria as given; UsageError without any: there is no default for what is permanent."""
    given = source.read(session.catalogue)
    if given is None:
        raise UsageError(
            "say which contacts: an email, or criteria",
            hint="criteria are --where, --where-any, --where-not or --criteria FILE",
        )
    return selection_of(session, given)


def affected(session: Session, kind: RunKind, selection: Selection, where: Where) -> Affected:
    """Count and show the contacts that fulfil `where`."""
    with session.store.reading() as connection:
        count = count_where(connection, where)
        return Affected(
            database=session.store.identity,
            selection=selection,
            count=count,
            rows=first_rows(connection, ids_where(where), PREVIEW_ROWS),
            fields=session.catalogue.names(),
            stakes=stakes_of_change(session, kind, count, count_active(connection)),
        )
