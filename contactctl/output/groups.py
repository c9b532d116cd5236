"""How groups are shown, and changes of whole groups."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from contactctl.domain.groups import GroupSummary, format_threshold
from contactctl.domain.policies import BYPASS_WARNING
from contactctl.operations.groups import GroupChange, GroupPolicyInForce, Members
from contactctl.output import view
from contactctl.output.criteria import Pairs, rows_blocks

_COLUMNS = (
    *view.columns("name", "members"),
    view.Column("active_members", "ACTIVE"),
    *view.columns("bypass", "created"),
    view.Column("id", for_people=False),
)
GROUP_FIELDS = tuple(column.key for column in _COLUMNS)
CHANGE_FIELDS = ("group", "contact", "changed", "run")


def present_groups(
    groups: Sequence[GroupSummary], bypassing: Collection[int] = ()
) -> view.Presentation:
    """The groups with their sizes; `bypassing` ones mail who is inactive system-wide, too."""
    items = [asdict(group) | {"bypass": group.id in bypassing} for group in groups]
    columns = [
        replace(c, for_people=c.for_people and (c.key != "bypass" or bool(bypassing)))
        for c in _COLUMNS
    ]
    warnings = [f"a group with a bypass {BYPASS_WARNING}"] if bypassing else []
    return view.listed("groups", columns, items, "(no groups)", warnings=warnings)


def present_created(change: GroupChange) -> view.Presentation:
    """The new group."""
    shown = present_group_change(change, "Created", "Created")
    return replace(shown, notes=notes_on_name(change.group))


def notes_on_name(name: str) -> list[str]:
    """How criteria name a group whose name could be read as several."""
    quoted = name.replace('"', '""')
    return [f'criteria name it in quotes: group = "{quoted}"'] if "," in name else []


def present_group_change(change: GroupChange, done: str, already: str) -> view.Presentation:
    """What a change did: `done` in words, or `already` when nothing had to change."""
    data = view.picked(change, CHANGE_FIELDS)
    words = done if change.changed else already
    warnings = []
    if change.had_left:
        warnings.append(
            "this person had left the group: if nobody has asked to come back, `contactctl groups"
            f" remove` ends the membership again (contact {change.contact})"
        )
    return view.Presentation(
        data, blocks=[view.KeyValues([(words, change.group)])], warnings=warnings
    )


# How changes of whole groups are shown


_MEMBER_COLUMNS = (
    *view.columns("id", "email", "status", "state"),
    view.Column("added", for_people=False),
)
MEMBER_FIELDS = tuple(column.key for column in _MEMBER_COLUMNS)


def present_members(members: Members) -> view.Presentation:
    """The members, and how many more there are."""
    data = {"group": members.group, "total": members.total}
    cut = view.cut_off(len(members.rows), members.total)
    rows = view.Rows("members", _MEMBER_COLUMNS, members.rows, beginning_of=cut)
    blocks = rows_blocks(len(members.rows), members.total, noun="members")
    return view.Presentation(data, rows, blocks)


def present_renamed(name: str, run: int) -> view.Presentation:
    """The group's new name."""
    return replace(present_whole_group("Renamed to", name, run), notes=notes_on_name(name))


def present_whole_group(done: str, name: str, run: int) -> view.Presentation:
    """The result of renaming or deleting a group."""
    return view.Presentation(
        {"group": name, "run": run}, None, [view.KeyValues([(done, name), ("Run", run)])]
    )


def present_policy(found: GroupPolicyInForce) -> view.Presentation:
    """A group's own settings, and where they come from."""
    policy = found.policy
    thresholds = {
        category.value: format_threshold(each) for category, each in policy.thresholds.items()
    }
    data = {
        "group": policy.name,
        "bypass_system_wide": policy.bypass_system_wide,
        "deactivate": policy.deactivate,
        "thresholds": thresholds,
        "from": "config" if found.from_config else "groups set",
        "run": found.run,
    }
    pairs: Pairs = [
        ("Group", policy.name),
        ("Bypass system-wide", policy.bypass_system_wide),
        ("Deactivates", policy.deactivate),
        *((f"Threshold {category}", text) for category, text in thresholds.items()),
        ("Set by", data["from"]),
    ]
    notes = [f"{policy.name} {BYPASS_WARNING}"] if policy.bypass_system_wide else []
    return view.Presentation(data, None, [view.KeyValues(pairs)], notes=notes)
