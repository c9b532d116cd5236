"""How a contact to be reactivated is shown, and the result."""

from contactctl.domain.contacts import MembershipState
from contactctl.operations.reactivation import MEANING, Reactivated, Target, recommended_for
from contactctl.output.criteria import Pairs
from contactctl.output.presentation import (
    Block,
    Column,
    Heading,
    KeyValues,
    Presentation,
    Table,
    Text,
    columns,
    counted,
    picked,
)

_REASON_COLUMNS = (
    *columns("scope", "origin", "category"),
    Column("started_at", "SINCE"),
    Column("run"),
    Column("recommended", for_people=False),
)


def present_target(target: Target) -> Presentation:
    """The contact, every open deactivation, the recommendation, and what reactivating means."""
    contact = target.contact
    reasons: list[dict[str, object]] = [
        {
            "scope": reason.group or "system-wide",
            "origin": reason.origin,
            "category": reason.category or None,
            "started_at": reason.started_at,
            "run": reason.run,
            "recommended": recommended_for(reason),
        }
        for reason in contact.reasons
    ]
    data = {
        **picked(contact, ("id", "email", "status")),
        "group": target.group,
        "deactivations": reasons,
        "to_acknowledge": list(target.to_acknowledge),
    }
    blocks: list[Block] = [
        KeyValues(_contact_pairs(target)),
        Table(_REASON_COLUMNS, reasons, empty="(no open deactivations)"),
        *_advice(target),
        *(Text(f"{category}: {MEANING[category]}") for category in target.to_acknowledge),
    ]
    return Presentation(data, None, blocks)


def present_reactivated(done: Reactivated) -> Presentation:
    """What was done, or that nothing had to be done."""
    target = done.target
    state = target.membership_after
    data = {
        "id": target.contact.id,
        "email": target.contact.email,
        "status": done.status,
        "ended": done.ended,
        "run": done.run,
        "group": target.group,
        "membership": state,
    }
    pairs: Pairs = [
        ("Contact", f"{target.contact.id}, {target.contact.email}"),
        ("Status", done.status),
        ("Ended", counted(done.ended, "deactivation")),
    ]
    if target.group is not None:
        pairs.append((f"In {target.group}", _state_text(state)))
    if done.run is None:
        return Presentation(data, None, [KeyValues(pairs), Text("Nothing had to change.")])
    return Presentation(data, None, [KeyValues([*pairs, ("Run", done.run)])])


def _advice(target: Target) -> list[Block]:
    """What is recommended, once for each category."""
    advice: dict[str, object] = {
        reason.category or reason.origin.value: recommended_for(reason)
        for reason in target.contact.reasons
    }
    return [Heading("Recommended"), KeyValues(list(advice.items()))] if advice else []


def _contact_pairs(target: Target) -> Pairs:
    contact = target.contact
    pairs: Pairs = [
        ("Contact", f"{contact.id}, {contact.email}"),
        ("Status", contact.status),
        ("Groups", [f"{name} ({state})" for _, name, state in contact.memberships]),
    ]
    if contact.complained:
        pairs.append(("Complaint", "on record; it blocks every automatic reactivation"))
    pairs.append(("To do", _intention(target)))
    return pairs


def _intention(target: Target) -> str:
    if not target.changes:
        return "nothing"
    if target.group is None:
        return "reactivate system-wide: end all system-wide deactivations"
    if target.clears:
        return f"clear the override in {target.group}"
    return f"reactivate only in {target.group}: {_state_text(target.membership_after)}"


def _state_text(state: MembershipState | None) -> str:
    if state is MembershipState.ACTIVE:
        return "active here, although inactive system-wide"
    return "follows the contact's status"
