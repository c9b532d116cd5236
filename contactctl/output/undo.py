"""How undoing a run is shown before it is done."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contactctl.domain.runs import Run
from contactctl.output.presentation import KeyValues, Presentation
from contactctl.output.selection import (
    Pairs,
    impact_blocks,
    impact_data,
    limit_blocks,
    preview_rows,
    rows_blocks,
    share,
)

if TYPE_CHECKING:  # `status` shows runs too, and needs no plans for it
    from contactctl.operations.undo import UndoPreview


def present_undo(preview: "UndoPreview") -> Presentation:
    """Which run, how many of its contacts, the first of them, and what it would mean."""
    stakes = preview.stakes
    data = {
        "run": None,
        "database": preview.database,
        **undone_data(preview.undone, preview.count),
        "count": preview.count,
        "impact": impact_data(preview.impact),
        "limits_exceeded": list(stakes.limits_exceeded),
    }
    pairs: Pairs = [
        ("Database", preview.database),
        ("Undoes", undone_text(preview.undone)),
        ("Contacts", f"{share(stakes.count, stakes.total)} to {stakes.verb}"),
        *touched_pairs(preview.undone, preview.count),
    ]
    blocks = [
        KeyValues(pairs),
        *rows_blocks(len(preview.rows), preview.count),
        *impact_blocks(preview.impact),
        *limit_blocks(stakes.limits_exceeded),
    ]
    return Presentation(data, preview_rows(preview.rows), blocks, notes=["nothing was changed"])


def undone_data(undone: Run, count: int) -> Mapping[str, object]:
    """Which run is undone, and how many of its contacts have changed since."""
    return {"undoes": undone.id, "touched_since": undone.changed - count}


def undone_text(undone: Run) -> str:
    """`run 8, deactivate, by ann@host on 2026-06-15: clean-up`."""
    reason = f": {undone.reason}" if undone.reason else ""
    when = undone.started_at or undone.planned_at
    return f"run {undone.id}, {undone.kind}, by {undone.operator} on {when:%Y-%m-%d}{reason}"


def touched_pairs(undone: Run, count: int) -> Pairs:
    """How many of the run's contacts are left out, if any."""
    touched = undone.changed - count
    if not touched:
        return []
    return [("Left out", f"{touched:,} of its {undone.changed:,}: changed since")]
