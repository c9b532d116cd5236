"""How contacts are shown that a change by criteria would affect."""

from contactctl.operations.affected import Affected
from contactctl.output.presentation import KeyValues, Presentation
from contactctl.output.selection import (
    asked_about,
    criteria_pairs,
    limit_blocks,
    preview_rows,
    rows_blocks,
)


def present_affected(found: Affected) -> Presentation:
    """Count, criteria with their dates, the first contacts, and the limits in the way."""
    kept = found.selection.kept()
    data = {
        "run": None,
        "database": found.database,
        "count": found.count,
        "criteria": kept.criteria,
        "limits_exceeded": list(found.stakes.limits_exceeded),
    }
    pairs = [
        ("Database", found.database),
        *criteria_pairs(found.selection.lines, prebuilt=False),
        ("Contacts", f"{found.count:,} match, active and inactive"),
    ]
    blocks = [
        KeyValues(pairs),
        *rows_blocks(len(found.rows), found.count),
        *limit_blocks(found.stakes.limits_exceeded),
    ]
    rows = preview_rows(found.rows, asked_about(kept), found.fields)
    return Presentation(data, rows, blocks, notes=["nothing was changed"])
