"""How a preview is shown."""

from contactctl.operations.preview import Preview
from contactctl.output.presentation import Block, KeyValues, Presentation, Rows
from contactctl.output.selection import (
    asked_about,
    criteria_pairs,
    impact_blocks,
    impact_data,
    left_out_pairs,
    limit_blocks,
    preview_rows,
    rows_blocks,
    share,
)

_OF_INACTIVE = {"status", "deactivated", "deactivation_origin", "deactivation_category"}


def present_preview(preview: Preview) -> Presentation:
    """Count, criteria with their dates, who was left out, and the first contacts."""
    blocks = [_facts(preview), *rows_blocks(len(preview.rows), preview.count)]
    return Presentation(_data(preview), _rows(preview), blocks, notes=_notes(preview))


def present_dry_run(preview: Preview) -> Presentation:
    """A preview with what deactivating would mean, and the limits it would meet."""
    data = _data(preview) | {"limits_exceeded": list(preview.stakes.limits_exceeded)}
    blocks = [_facts(preview), *rows_blocks(len(preview.rows), preview.count)]
    if preview.impact is not None:
        data["impact"] = impact_data(preview.impact)
        blocks += impact_blocks(preview.impact)
    blocks += limit_blocks(preview.stakes.limits_exceeded)
    notes = [*_notes(preview), "nothing was changed"]
    return Presentation(data, _rows(preview), blocks, notes=notes)


def _rows(preview: Preview) -> Rows:
    shown = len(preview.rows)
    others = (
        f"the first {shown} of {preview.count:,}; `contactctl contacts export --deliverable` with "
        "the same criteria writes them all"
    )
    return preview_rows(
        preview.rows,
        asked_about(preview.selection.kept()),
        preview.fields,
        beginning_of=others if preview.count > shown else "",
    )


def _notes(preview: Preview) -> list[str]:
    if _OF_INACTIVE.isdisjoint(asked_about(preview.selection.kept())):
        return []
    return [
        "only active contacts are counted; "
        "`contactctl contacts list` with the same criteria shows the others, too"
    ]


def _data(preview: Preview) -> dict[str, object]:
    return {
        "database": preview.database,
        "count": preview.count,
        "active_total": preview.active_total,
        "left_out": dict(preview.left_out),
        "criteria": preview.selection.kept().criteria,
        "conditions": [
            {"text": text, "resolved": resolved}
            for text, resolved in preview.selection.resolved.describe()
        ],
        "prebuilt": preview.selection.prebuilt,
        "as_of": preview.selection.resolved.as_of,
        "time_zone": preview.selection.resolved.zone.key,
    }


def _facts(preview: Preview) -> Block:
    resolved = preview.selection.resolved
    return KeyValues(
        [
            ("Database", preview.database),
            *criteria_pairs(preview.selection.lines, prebuilt=preview.selection.prebuilt),
            ("As of", f"{resolved.as_of.astimezone(resolved.zone):%Y-%m-%d %H:%M %Z}"),
            ("Contacts", f"{share(preview.count, preview.active_total)} active contacts match"),
            *left_out_pairs(preview.left_out, preview.include_hint),
        ]
    )
