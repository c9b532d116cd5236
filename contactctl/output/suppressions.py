"""How suppressed addresses are shown, never but as a hash, and a provider's suppression list."""

from typing import TYPE_CHECKING

from contactctl.domain.erasure import key_id_of
from contactctl.domain.errors import ExitCode
from contactctl.domain.text import counted
from contactctl.output import view
from contactctl.output.criteria import (
    Pairs,
    contact_column,
    present_before,
    preview_rows,
    rows_blocks,
)
from contactctl.output.rejects import RejectsFile

if TYPE_CHECKING:
    from contactctl.operations.address_lists import ListResult
    from contactctl.operations.pushing import ListDiff, PushPreview
    from contactctl.operations.suppressions import Rotation, SuppressionChange, Suppressions

_COLUMNS = view.columns("hash", "key", "created", "run")
LIST_FIELDS = ("run", "suppressed", "unchanged", "rejected", "contacts", "rejects_file")
SUPPRESSION_FIELDS = tuple(column.key for column in _COLUMNS)


def present_suppressions(found: "Suppressions") -> view.Presentation:
    """The latest suppressions, and how many there are."""
    items = [
        {
            "hash": row.key_hash.partition(":")[2],
            "key": key_id_of(row.key_hash),
            "created": row.created,
            "run": row.run,
        }
        for row in found.rows
    ]
    blocks = rows_blocks(len(items), found.total, noun="suppressions")
    cut = view.cut_off(len(items), found.total)
    rows = view.Rows("suppressions", _COLUMNS, items, beginning_of=cut)
    return view.Presentation({"total": found.total}, rows, blocks)


def present_suppressed(suppressed: bool) -> view.Presentation:
    """Whether an address is suppressed."""
    return view.Presentation(
        {"suppressed": suppressed}, None, [view.KeyValues([("Suppressed", suppressed)])]
    )


def present_suppression_change(change: "SuppressionChange") -> view.Presentation:
    """Whether it is suppressed now, and the run that changed it."""
    data = {"suppressed": change.suppressed, "run": change.run}
    notes = [] if change.run is not None else ["nothing had to change"]
    if change.contacts:
        stay = "stays as it is" if change.contacts == 1 else "stay as they are"
        notes.append(
            f"{counted(change.contacts, 'contact')} of this domain {stay};"
            " from now on imports reject such rows"
        )
    pairs = [("Suppressed", change.suppressed), ("Run", change.run)]
    return view.Presentation(data, None, [view.KeyValues(pairs)], notes=notes)


def present_list(result: "ListResult", rejects: RejectsFile) -> view.Presentation:
    """What became of a list's rows; a row that was rejected makes the exit code 5."""
    data = {
        **view.picked(result, LIST_FIELDS[:-1]),
        "rejects_file": str(rejects.path) if rejects.path else None,
    }
    counts = ("suppressed", "unchanged", "rejected")
    pairs = [(name.capitalize(), f"{data[name]:,}") for name in counts]
    notes = []
    if result.contacts:
        notes.append(
            f"on the list are addresses of {counted(result.contacts, 'contact')}: nothing changes"
            " there; from now on imports reject their rows"
        )
    return view.Presentation(
        data,
        blocks=[view.KeyValues([*pairs, ("Run", result.run)])],
        notes=notes,
        problems=rejects.problems(),
        exit_code=ExitCode.PARTIAL if result.rejected else ExitCode.DONE,
    )


def present_rotated(rotation: "Rotation") -> view.Presentation:
    """The id of the new key, of the old ones that are kept or dropped, and the copy of before."""
    current, kept = rotation.keyring.current.id, [key.id for key in rotation.keyring.keys[1:]]
    backup = str(rotation.backup)
    data = {"key": current, "kept": kept, "dropped": list(rotation.dropped), "backup": backup}
    pairs: Pairs = [("New key", current), ("Kept for checking", kept)]
    if rotation.dropped:
        pairs.append(("Dropped", list(rotation.dropped)))
    pairs.append(("Key file of before", backup))
    notes = ["back up the key file now"]
    return view.Presentation(data, None, [view.KeyValues(pairs)], notes=notes)


# A provider's suppression list beside the contacts


_SIDES = {
    "both": "Inactive here, suppressed there",
    "here": "Inactive here, not suppressed there",
    "there": "Active here, suppressed there",
}
DIFF_FIELDS = ("source", *_SIDES, "unknown")
_DIFF_COLUMNS = tuple(map(contact_column, ("id", "email", "status", "last_name")))


def present_push(preview: "PushPreview") -> view.Presentation:
    """What a provider would be told, with the first contacts and the limits."""
    stakes = preview.stakes
    data = {
        "run": None,
        **view.picked(preview, ("source", "database", "adding", "removing")),
        "count": stakes.count,
    }
    pairs: Pairs = [
        ("Source", preview.source),
        ("To suppress", f"{preview.adding:,}"),
        ("To take off", f"{preview.removing:,}"),
    ]
    return present_before(data, pairs, stakes, rows=preview_rows(preview.rows))


def present_diff(diff: "ListDiff") -> view.Presentation:
    """How many contacts are on which list, and the first of those on one alone."""
    pairs = [("Source", diff.source)]
    pairs += [(label, f"{diff.counts[side]:,}") for side, label in _SIDES.items()]
    pairs.append(("Suppressed there, not a contact", f"{diff.counts['unknown']:,}"))
    blocks: list[view.Block] = [view.KeyValues(pairs)]
    for side in ("here", "there"):
        if diff.rows[side]:
            blocks += [view.Heading(_SIDES[side]), view.Table(_DIFF_COLUMNS, diff.rows[side])]
    return view.Presentation({"source": diff.source, **diff.counts}, blocks=blocks)
