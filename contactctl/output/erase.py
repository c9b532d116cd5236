"""How a contact that is to be erased is shown, and that it was."""

from contactctl.domain.runs import Run, RunKind
from contactctl.output.presentation import KeyValues, Presentation, Text
from contactctl.output.runs import run_data
from contactctl.output.selection import Pairs
from contactctl.store.reactivation import Deactivated

_MEANING = {
    RunKind.ANONYMIZE: "Name, address, attributes, tags, memberships and responses are removed for"
    " good; a number stays for the totals.",
    RunKind.DELETE: "The contact and everything stored about it are deleted for good.",
}
_SUPPRESSED = "Its address stays suppressed: no import can bring it back."


def present_before_erasing(contact: Deactivated, kind: RunKind) -> Presentation:
    """Who it is, and what erasing means."""
    data = {"id": contact.id, "email": contact.email, "status": contact.status}
    pairs: Pairs = [
        ("Contact", f"{contact.id}, {contact.email}"),
        ("Status", contact.status),
        ("Groups", [name for _, name, _ in contact.memberships]),
    ]
    return Presentation(data, None, [KeyValues(pairs), Text(f"{_MEANING[kind]} {_SUPPRESSED}")])


def present_erased(run: Run, contact_id: int) -> Presentation:
    """That it happened; the address is not repeated."""
    data = run_data(run) | {"id": contact_id}
    done = "anonymised" if run.kind is RunKind.ANONYMIZE else "deleted"
    pairs: Pairs = [("Contact", f"{contact_id}, {done}"), ("Run", run.id)]
    return Presentation(data, None, [KeyValues(pairs), Text(_SUPPRESSED)])
