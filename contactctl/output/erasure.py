"""How a contact is shown that is to be erased, that it was, and suppressed addresses."""

from contactctl.domain.handling import ContactStanding
from contactctl.domain.run_kinds import ErasingRun
from contactctl.domain.runs import Run
from contactctl.output.criteria import Pairs
from contactctl.output.presentation import KeyValues, Presentation, Text
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
