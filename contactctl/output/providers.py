"""How a provider's suppression list is shown beside the contacts, and what a fetch found."""

from dataclasses import replace

from contactctl.domain.errors import ExitCode
from contactctl.operations.fetch import FetchResult
from contactctl.operations.pushing import ListDiff, PushPreview
from contactctl.output.criteria import contact_column, limit_blocks, preview_rows, rows_blocks
from contactctl.output.presentation import Block, Heading, KeyValues, Presentation, Table
from contactctl.output.rejects import ResponseRejects
from contactctl.output.responses import present_ingest

_SIDES = {
    "both": "Inactive here, suppressed there",
    "here": "Inactive here, not suppressed there",
    "there": "Active here, suppressed there",
}
DIFF_FIELDS = ("source", *_SIDES, "unknown")
_COLUMNS = tuple(map(contact_column, ("id", "email", "status", "last_name")))


def present_push(preview: PushPreview) -> Presentation:
    """What a provider would be told, with the first contacts and the limits."""
    stakes = preview.stakes
    data = {
        "run": None,
        "source": preview.source,
        "database": preview.database,
        "adding": preview.adding,
        "removing": preview.removing,
        "count": stakes.count,
        "limits_exceeded": list(stakes.limits_exceeded),
    }
    pairs = [
        ("Source", preview.source),
        ("To suppress", f"{preview.adding:,}"),
        ("To take off", f"{preview.removing:,}"),
    ]
    blocks = [
        KeyValues(pairs),
        *rows_blocks(len(preview.rows), stakes.count),
        *limit_blocks(stakes.limits_exceeded),
    ]
    return Presentation(data, preview_rows(preview.rows), blocks, notes=["nothing was changed"])


def present_diff(diff: ListDiff) -> Presentation:
    """How many contacts are on which list, and the first of those on one alone."""
    pairs = [("Source", diff.source)]
    pairs += [(label, f"{diff.counts[side]:,}") for side, label in _SIDES.items()]
    pairs.append(("Suppressed there, not a contact", f"{diff.counts['unknown']:,}"))
    blocks: list[Block] = [KeyValues(pairs)]
    for side in ("here", "there"):
        if diff.rows[side]:
            blocks += [Heading(_SIDES[side]), Table(_COLUMNS, diff.rows[side])]
    return Presentation({"source": diff.source, **diff.counts}, blocks=blocks)


# What a fetch from a provider's API found, as it is shown


def present_fetch(result: FetchResult, rejects: ResponseRejects) -> Presentation:
    """What a fetch from a provider's API found; one that stopped in time is done in part."""
    shown = present_ingest(result.ingested, rejects)
    shown = replace(shown, data={**shown.data, "source": result.source})
    if not result.is_out_of_time:
        return shown
    warning = "the time is over: the next fetch goes on with the rest (--time-limit)"
    code = ExitCode.PARTIAL if shown.exit_code == ExitCode.DONE else shown.exit_code
    return replace(shown, warnings=[*shown.warnings, warning], exit_code=code)
