"""How groups are shown."""

from collections.abc import Sequence
from dataclasses import replace

from contactctl.domain.groups import GroupSummary
from contactctl.operations.groups import GroupChange
from contactctl.output.presentation import Column, KeyValues, Presentation, Rows, RowsTable

_COLUMNS = (
    Column("name"),
    Column("members"),
    Column("active_members", "ACTIVE"),
    Column("created"),
    Column("id", for_people=False),
)
GROUP_FIELDS = tuple(column.key for column in _COLUMNS)
CHANGE_FIELDS = ("group", "contact", "changed", "run")


def present_groups(groups: Sequence[GroupSummary]) -> Presentation:
    """The groups with their sizes."""
    items = [{name: getattr(group, name) for name in GROUP_FIELDS} for group in groups]
    return Presentation(rows=Rows("groups", _COLUMNS, items), blocks=[RowsTable("(no groups)")])


def present_created(change: GroupChange) -> Presentation:
    """The new group."""
    shown = present_group_change(change, "Created", "Created")
    return replace(shown, notes=notes_on_name(change.group))


def notes_on_name(name: str) -> list[str]:
    """How criteria name a group whose name could be read as several."""
    quoted = name.replace('"', '""')
    return [f'criteria name it in quotes: group = "{quoted}"'] if "," in name else []


def present_group_change(change: GroupChange, done: str, already: str) -> Presentation:
    """What a change did: `done` in words, or `already` when nothing had to change."""
    data = {
        "group": change.group,
        "contact": change.contact,
        "changed": change.changed,
        "run": change.run,
    }
    words = done if change.changed else already
    return Presentation(data, blocks=[KeyValues([(words, change.group)])])
