"""How one contact is shown that is edited, merged, deactivated, brought back or erased; tags."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contactctl.domain.contacts import ContactRecord, MembershipState
from contactctl.domain.handling import ContactStanding, Reason
from contactctl.domain.run_kinds import ErasingRun
from contactctl.domain.runs import Run
from contactctl.domain.text import counted
from contactctl.operations.reactivation import MEANING, Reactivated, Target, recommended_for
from contactctl.output import view
from contactctl.output.criteria import Pairs, present_before, rows_blocks
from contactctl.output.runs import run_data

if TYPE_CHECKING:
    from contactctl.operations.addresses import Done, Merging, NewAddress
    from contactctl.operations.editing import Edited
    from contactctl.operations.upkeep import (
        Attribute,
        AttributeChange,
        Deactivated,
        TagChange,
        Tags,
    )

EDITED_FIELDS = ("id", "fields", "changed", "run")
DONE_FIELDS = ("id", "email", "status", "run")
TAG_CHANGE_FIELDS = ("tag", "contact", "changed", "run")
_TAG_COLUMNS = view.columns("tag", "contacts")
TAG_FIELDS = tuple(column.key for column in _TAG_COLUMNS)
_ATTRIBUTE_COLUMNS = view.columns("name", "contacts", "type", "unfit")
ATTRIBUTE_FIELDS = tuple(column.key for column in _ATTRIBUTE_COLUMNS)
_REASON_COLUMNS = view.columns("scope", "origin", "category", "run")


def present_edited(done: "Edited") -> view.Presentation:
    """The fields that changed, or that all was so already."""
    data = {
        "id": done.contact,
        "fields": list(done.fields),
        "changed": done.run is not None,
        "run": done.run,
    }
    label = "Edited" if done.run else "Was so already"
    pairs: Pairs = [(label, ", ".join(done.fields)), ("Contact", done.contact)]
    return view.Presentation(data, blocks=[view.KeyValues(pairs)])


def present_new_address(target: "NewAddress") -> view.Presentation:
    """The contact, both addresses, and what ends with the old one."""
    ending = [_reason(each) for each in target.ending]
    data = _standing(target.contact) | {
        "new_email": target.address.email,
        "ending": ending,
        "waiting_responses": target.waiting,
    }
    pairs: Pairs = [*_standing_pairs(target.contact), ("New email", target.address.email)]
    blocks: list[view.Block] = [view.KeyValues(pairs)]
    if ending:
        blocks.append(view.Text("These deactivations were about the old address, and end:"))
        blocks.append(view.Table(_REASON_COLUMNS, ending))
    if target.waiting:
        waiting = counted(target.waiting, "response")
        blocks.append(
            view.Text(f"{waiting} to the new address were kept, and become the contact's.")
        )
    return view.Presentation(data, blocks=blocks)


def present_merging(target: "Merging") -> view.Presentation:
    """Both contacts, and what of the one comes to the other."""
    data = {"into": _standing(target.into), "gone": _standing(target.gone)}
    blocks: list[view.Block] = [
        view.KeyValues([("Stays", _who(target.into)), *_what(target.into_record)]),
        view.KeyValues([("Goes", _who(target.gone)), *_what(target.gone_record)]),
        view.Text(
            "What the first has stays; what it lacks comes from the second, with its tags, groups,"
            " responses and reasons to be inactive. It cannot be undone."
        ),
    ]
    return view.Presentation(data, blocks=blocks)


def present_before_deactivating(contact: ContactStanding) -> view.Presentation:
    """Who it is, and what is open already."""
    reasons = [_reason(each) for each in contact.reasons]
    data = _standing(contact) | {"deactivations": reasons}
    blocks: list[view.Block] = [
        view.KeyValues(_standing_pairs(contact)),
        view.Text("Deactivated system-wide; only `contactctl reactivate` brings it back."),
    ]
    if reasons:
        blocks.append(view.Table(_REASON_COLUMNS, reasons))
    return view.Presentation(data, blocks=blocks)


def present_deactivated(done: "Deactivated") -> view.Presentation:
    """That it was done, or that somebody had done so before."""
    data = _standing(done.contact) | {"status": "inactive", "run": done.run}
    label = "Deactivated" if done.run else "Was deactivated already"
    pairs: Pairs = [(label, done.contact.email), ("Run", done.run)]
    return view.Presentation(data, blocks=[view.KeyValues(pairs)])


def present_tags(tags: "Tags") -> view.Presentation:
    """The tags with their numbers of contacts."""
    items = [{"tag": tag, "contacts": number} for tag, number in tags.rows]
    blocks = rows_blocks(len(items), tags.total, noun="tags")
    cut = view.cut_off(len(items), tags.total)
    rows = view.Rows("tags", _TAG_COLUMNS, items, beginning_of=cut)
    return view.Presentation({"total": tags.total}, rows, blocks)


def present_tag_change(change: "TagChange", done: str, already: str) -> view.Presentation:
    """What a change did: `done` in words, or `already` when nothing had to change."""
    data = {
        "tag": change.tag,
        "contact": change.contact,
        "changed": change.run is not None,
        "run": change.run,
    }
    words = done if change.run else already
    return view.Presentation(data, blocks=[view.KeyValues([(words, change.tag)])])


def present_attributes(attributes: "Sequence[Attribute]") -> view.Presentation:
    """Every attribute; those that contacts have and the config does not declare are told."""
    items = [view.picked(each, ATTRIBUTE_FIELDS) for each in attributes]
    stray = [each for each in attributes if each.type is None]
    warnings = [
        f"'{each.name}' of {counted(each.contacts, 'contact')} is not declared:"
        " --rename or --drop it, or declare it below `attributes:`"
        for each in stray
    ]
    warnings += [
        f"'{each.name}' is declared as {each.type}, which the value of"
        f" {counted(each.unfit, 'contact')} is not: to criteria these have none;"
        " `contacts export`, and an import of it, read them anew"
        for each in attributes
        if each.unfit
    ]
    more = {"data": {"undeclared": [each.name for each in stray]}, "warnings": warnings}
    return view.listed("attributes", _ATTRIBUTE_COLUMNS, items, "(no attributes)", **more)


def present_attribute_change(change: "AttributeChange") -> view.Presentation:
    """Before it is done: which attribute, and of how many contacts."""
    data = {
        "database": change.database,
        "attribute": change.name,
        "to": change.to,
        "count": change.count,
    }
    what = f"renamed to {change.to}" if change.to else "dropped with its values"
    pairs: Pairs = [
        ("Database", change.database),
        ("Attribute", f"{change.name}: {what}"),
        ("Contacts", f"{change.count:,}"),
    ]
    return present_before(data, pairs, change.stakes)


def present_done(done: "Done", label: str, already: str = "") -> view.Presentation:
    """The contact as it is now: `label` says what was done, `already` that it was so before."""
    data = _standing(done.contact) | {"run": done.run}
    pairs: Pairs = [
        (label if done.run else already, _who(done.contact)),
        ("Status", done.contact.status),
        ("Run", done.run),
    ]
    return view.Presentation(data, blocks=[view.KeyValues(pairs)])


def _standing(contact: ContactStanding) -> dict[str, object]:
    return view.picked(contact, ("id", "email", "status"))


def _standing_pairs(contact: ContactStanding) -> Pairs:
    return [
        ("Contact", _who(contact)),
        ("Status", contact.status),
        ("Groups", [name for _, name, _ in contact.memberships]),
    ]


def _who(contact: ContactStanding) -> str:
    return f"{contact.id}, {contact.email}"


def _what(record: ContactRecord) -> Pairs:
    names = (record.values[name] for name in ("first_name", "last_name"))
    return [
        ("  Name", " ".join(str(name) for name in names if name)),
        ("  Status", record.status),
        ("  Tags", list(record.tags)),
        ("  Groups", [each.group for each in record.groups]),
        ("  Open reasons", sum(each.ended_at is None for each in record.deactivations)),
    ]


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "scope": reason.group or "system-wide",
        "origin": reason.origin,
        "category": reason.category or None,
        "run": reason.run,
    }


# A contact to be reactivated, and the result


_OPEN_COLUMNS = (
    *view.columns("scope", "origin", "category"),
    view.Column("started_at", "SINCE"),
    view.Column("run"),
    view.Column("recommended", for_people=False),
)


def present_target(target: Target) -> view.Presentation:
    """The contact, every open deactivation, the recommendation, and what reactivating means."""
    contact = target.contact
    reasons = [_open_reason(each) for each in contact.reasons]
    data = {
        **_standing(contact),
        "group": target.group,
        "deactivations": reasons,
        "to_acknowledge": list(target.to_acknowledge),
    }
    blocks: list[view.Block] = [
        view.KeyValues(_contact_pairs(target)),
        view.Table(_OPEN_COLUMNS, reasons, empty="(no open deactivations)"),
        *_advice(target),
        *(view.Text(f"{category}: {MEANING[category]}") for category in target.to_acknowledge),
    ]
    return view.Presentation(data, None, blocks)


def _open_reason(reason: Reason) -> dict[str, object]:
    facts = _reason(reason) | {
        "started_at": reason.started_at,
        "recommended": recommended_for(reason),
    }
    return {column.key: facts[column.key] for column in _OPEN_COLUMNS}


def present_reactivated(done: Reactivated) -> view.Presentation:
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
        ("Contact", _who(target.contact)),
        ("Status", done.status),
        ("Ended", counted(done.ended, "deactivation")),
    ]
    if target.group is not None:
        pairs.append((f"In {target.group}", _state_text(state)))
    blocks: list[view.Block] = [view.KeyValues([*pairs, ("Run", done.run)])]
    if done.run is None:
        blocks = [view.KeyValues(pairs), view.Text("Nothing had to change.")]
    return view.Presentation(data, None, blocks)


def _advice(target: Target) -> list[view.Block]:
    """What is recommended, once for each category."""
    advice: dict[str, object] = {
        reason.category or reason.origin.value: recommended_for(reason)
        for reason in target.contact.reasons
    }
    return [view.Heading("Recommended"), view.KeyValues(list(advice.items()))] if advice else []


def _contact_pairs(target: Target) -> Pairs:
    contact = target.contact
    pairs: Pairs = [
        ("Contact", _who(contact)),
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


# A contact that is to be erased, and that it was


_SUPPRESSED = "Its address stays suppressed: no import can bring it back."


def present_before_erasing(
    contact: ContactStanding, erasing: type[ErasingRun]
) -> view.Presentation:
    """Who it is, and what erasing means."""
    data = _standing(contact)
    words = view.Text(f"{erasing.warning} {_SUPPRESSED}")
    return view.Presentation(data, None, [view.KeyValues(_standing_pairs(contact)), words])


def present_erased(run: Run, contact_id: int) -> view.Presentation:
    """That it happened; the address is not repeated."""
    data = run_data(run) | {"id": contact_id}
    done = run.details_as(ErasingRun).done
    pairs: Pairs = [("Contact", f"{contact_id}, {done}"), ("Run", run.id)]
    return view.Presentation(data, None, [view.KeyValues(pairs), view.Text(_SUPPRESSED)])
