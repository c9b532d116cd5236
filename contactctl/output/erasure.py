"""How a contact is shown that is to be erased, that it was, and suppressed addresses."""

from contactctl.domain.erasure import key_id_of
from contactctl.domain.errors import ExitCode
from contactctl.domain.handling import ContactStanding
from contactctl.domain.run_kinds import ErasingRun
from contactctl.domain.runs import Run
from contactctl.domain.text import counted
from contactctl.operations.suppressions import (
    ListResult,
    Rotation,
    SuppressionChange,
    Suppressions,
)
from contactctl.output.criteria import Pairs, rows_blocks
from contactctl.output.presentation import Column, KeyValues, Presentation, Rows, Text
from contactctl.output.rejects import RejectsFile
from contactctl.output.runs import run_data

_SUPPRESSED = "Its address stays suppressed: no import can bring it back."


def present_before_erasing(contact: ContactStanding, erasing: type[ErasingRun]) -> Presentation:
    """Who it is, and what erasing means."""
    data = {"id": contact.id, "email": contact.email, "status": contact.status}
    pairs: Pairs = [
        ("Contact", f"{contact.id}, {contact.email}"),
        ("Status", contact.status),
        ("Groups", [name for _, name, _ in contact.memberships]),
    ]
    return Presentation(data, None, [KeyValues(pairs), Text(f"{erasing.warning} {_SUPPRESSED}")])


def present_erased(run: Run, contact_id: int) -> Presentation:
    """That it happened; the address is not repeated."""
    data = run_data(run) | {"id": contact_id}
    done = run.details_as(ErasingRun).done
    pairs: Pairs = [("Contact", f"{contact_id}, {done}"), ("Run", run.id)]
    return Presentation(data, None, [KeyValues(pairs), Text(_SUPPRESSED)])


# How suppressions are shown: never with an address, as only its hash is stored


_COLUMNS = (
    Column("hash"),
    Column("key"),
    Column("created"),
    Column("run"),
)
LIST_FIELDS = ("run", "suppressed", "unchanged", "rejected", "contacts", "rejects_file")
SUPPRESSION_FIELDS = tuple(column.key for column in _COLUMNS)


def present_suppressions(found: Suppressions) -> Presentation:
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
    return Presentation({"total": found.total}, Rows("suppressions", _COLUMNS, items), blocks)


def present_suppressed(suppressed: bool) -> Presentation:
    """Whether an address is suppressed."""
    return Presentation({"suppressed": suppressed}, None, [KeyValues([("Suppressed", suppressed)])])


def present_suppression_change(change: SuppressionChange) -> Presentation:
    """Whether it is suppressed now, and the run that changed it."""
    data = {"suppressed": change.suppressed, "run": change.run}
    notes = [] if change.run is not None else ["nothing had to change"]
    if change.contacts:
        notes.append(
            f"{counted(change.contacts, 'contact')} of this domain stay as they are;"
            " from now on imports reject their rows"
        )
    pairs = [("Suppressed", change.suppressed), ("Run", change.run)]
    return Presentation(data, None, [KeyValues(pairs)], notes=notes)


def present_list(result: ListResult, rejects: RejectsFile) -> Presentation:
    """What became of a list's rows; a row that was rejected makes the exit code 5."""
    data = {
        "run": result.run,
        "suppressed": result.suppressed,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
        "contacts": result.contacts,
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
    return Presentation(
        data,
        blocks=[KeyValues([*pairs, ("Run", result.run)])],
        notes=notes,
        problems=rejects.problems(),
        exit_code=ExitCode.PARTIAL if result.rejected else ExitCode.DONE,
    )


def present_rotated(rotation: Rotation) -> Presentation:
    """The id of the new key, of the old ones that are kept or dropped, and the copy of before."""
    current, kept = rotation.keyring.current.id, [key.id for key in rotation.keyring.keys[1:]]
    backup = str(rotation.backup)
    data = {"key": current, "kept": kept, "dropped": list(rotation.dropped), "backup": backup}
    pairs: Pairs = [("New key", current), ("Kept for checking", kept)]
    if rotation.dropped:
        pairs.append(("Dropped", list(rotation.dropped)))
    pairs.append(("Key file of before", backup))
    notes = ["back up the key file now"]
    return Presentation(data, None, [KeyValues(pairs)], notes=notes)
