"""Criteria while they are edited: a tree of rows in groups; any row may be unfinished.

Undo and redo go through the states that a draft has had.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from contactctl.config.criteria import criteria_as_yaml
from contactctl.domain.criteria.conditions import (
    Condition,
    build_condition,
    format_condition,
    split_list,
)
from contactctl.domain.criteria.fields import (
    OPERATORS,
    USAGES,
    Field,
    FieldType,
    Operator,
    Takes,
    did_you_mean,
)
from contactctl.domain.criteria.tree import Criteria, as_flags, check_size
from contactctl.domain.criteria.values import format_value, shown
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import fold, show_safely

_FIRST_SPAN = "24 months"


class Mode(StrEnum):
    """How many of a group's parts must match."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(eq=False)
class Row:
    """One condition as far as it has been entered; `words` are its values as typed.

    Where an operator takes several free texts, the one word is the whole list with its commas.
    """

    field: Field
    operator: Operator
    words: tuple[str, ...] = ()

    def condition(self) -> Condition:
        """The condition; CriteriaError, in words for people, while it is not complete."""
        entered = [word for word in self.words if word.strip()]
        if takes_free_list(self.field, self.operator) and entered:
            entered = split_list(entered[0].strip())
        return build_condition(self.field, self.operator, entered)

    def text(self) -> str:
        """The condition as one line, or the part that exists; safe to show."""
        try:
            return show_safely(format_condition(self.condition()))
        except CriteriaError:
            joint = " and " if USAGES[self.operator].takes is Takes.RANGE else ","
            words = show_safely(joint.join(self.words))
            return f"{self.field.name} {self.operator} {words}".rstrip()


@dataclass(eq=False)
class Group:
    """Parts under all, any or none."""

    mode: Mode
    parts: list["Part"] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """Every row below, in order."""
        for part in self.parts:
            if isinstance(part, Row):
                yield part
            else:
                yield from part.rows()


Part = Row | Group
PartState = tuple[object, ...]  # of a row: field, operator, words; of a group: mode, parts
State = tuple[PartState, ...]


@dataclass(eq=False)
class Draft:
    """The whole criteria: the three outermost groups, always there, and a name."""

    name: str = ""
    groups: tuple[Group, Group, Group] = field(
        default_factory=lambda: (Group(Mode.ALL), Group(Mode.ANY), Group(Mode.NONE))
    )

    def state(self) -> State:
        """Everything that an edit can change, as a value."""
        return tuple(map(_state_of, self.groups))

    def restore(self, state: State) -> None:
        """Make the groups again what they were in that state."""
        for group, kept in zip(self.groups, state, strict=True):
            group.parts = _restored(kept).parts

    def rows(self) -> Iterator[Row]:
        """Every row, in order."""
        for group in self.groups:
            yield from group.rows()

    def parts(self) -> Iterator[Part]:
        """Every group and row, in order."""
        waiting: list[Part] = list(reversed(self.groups))
        while waiting:
            part = waiting.pop()
            yield part
            if isinstance(part, Group):
                waiting += reversed(part.parts)

    def part_at(self, place: int) -> Part:
        """The part at that place of `parts`, or the last one."""
        parts = list(self.parts())
        return parts[min(place, len(parts) - 1)]

    def row_on(self, chosen: Field) -> Row | None:
        """The first row that tests this field."""
        return next((row for row in self.rows() if row.field == chosen), None)

    def parent_of(self, part: Part) -> Group | None:
        """The group that holds a part; None for an outermost group."""
        return next((group for group in self._all_groups() if part in group.parts), None)

    def is_outermost(self, part: Part) -> bool:
        return part in self.groups

    def add(self, part: Part, at: Part | None) -> None:
        """Put a part at the end of the group `at`, or after the row `at`, or under all."""
        if isinstance(at, Group):
            at.parts.append(part)
        elif at is not None and (parent := self.parent_of(at)) is not None:
            parent.parts.insert(parent.parts.index(at) + 1, part)
        else:
            self.groups[0].parts.append(part)

    def remove(self, part: Part) -> Part:
        """Remove a part, or all parts of an outermost group; returns where the cursor goes next."""
        parent = self.parent_of(part)
        if parent is None:
            if isinstance(part, Group):
                part.parts.clear()
            return part
        index = parent.parts.index(part)
        del parent.parts[index]
        return parent.parts[min(index, len(parent.parts) - 1)] if parent.parts else parent

    def move(self, part: Part, step: int) -> bool:
        """One place up (-1) or down (1), into and out of groups; False at either end."""
        parent = self.parent_of(part)
        place = None if parent is None else self._place_beside(part, parent, step)
        if parent is None or place is None:
            return False
        parent.parts.remove(part)
        group, index = place
        group.parts.insert(len(group.parts) if index is None else index, part)
        return True

    def criteria(self) -> Criteria:
        """The criteria of all rows together; CriteriaError while they are not complete."""
        branches = {group.mode: tuple(map(_part_of, group.parts)) for group in self.groups}
        criteria = Criteria(self.name, *(branches[mode] for mode in Mode))
        check_size(criteria)
        return criteria

    def problems(self, group_names: Sequence[str]) -> dict[Part, str]:
        """What is wrong with each unfinished part, in words."""
        found: dict[Part, str] = {}
        for row in self.rows():
            if problem := _problem_of(row, group_names):
                found[row] = problem
        for group in self._all_groups():
            if not group.parts and not self.is_outermost(group):
                found[group] = "an empty group: add a condition, or remove it"
        return found

    def _all_groups(self) -> Iterator[Group]:
        waiting = list(self.groups)
        while waiting:
            group = waiting.pop()
            yield group
            waiting += [part for part in group.parts if isinstance(part, Group)]

    def _place_beside(
        self, part: Part, parent: Group, step: int
    ) -> tuple[Group, int | None] | None:
        """Group and index (None: the end) one place further, once the part is removed."""
        index = parent.parts.index(part)
        if 0 <= index + step < len(parent.parts):
            neighbour = parent.parts[index + step]
            if isinstance(neighbour, Group):
                return neighbour, 0 if step > 0 else None
            return parent, index + step
        around = self.parent_of(parent)
        if around is not None:
            return around, around.parts.index(parent) + (1 if step > 0 else 0)
        outermost = self.groups.index(parent) + step
        if not 0 <= outermost < len(self.groups):
            return None
        return self.groups[outermost], 0 if step > 0 else None


def draft_of(criteria: Criteria) -> Draft:
    """Criteria to be edited. Nested ones with several branches become one group each, under all."""
    draft = Draft(criteria.name)
    for group, parts in zip(draft.groups, _branches(criteria), strict=True):
        group.parts += map(_draft_part, parts)
    return draft


def row_of(condition: Condition) -> Row:
    """A condition to be edited."""
    row = Row(condition.field, condition.operator)
    if takes_free_list(row.field, row.operator):
        row.words = (format_condition(condition).split(maxsplit=2)[2],)
    else:
        row.words = tuple(map(format_value, condition.values))
    return row


def first_row(chosen: Field) -> Row:
    """The values of a row when its field has just been chosen."""
    if chosen.type in (FieldType.DATE, FieldType.INSTANT):
        return Row(chosen, Operator.OLDER_THAN, (_FIRST_SPAN,))
    return Row(chosen, OPERATORS[chosen.type][0])


def change_operator(row: Row, operator: Operator) -> None:
    """Change the operator; what was typed is kept where it still means the same."""
    before, after = USAGES[row.operator].takes, USAGES[operator].takes
    kept = before is after or {before, after} == {Takes.ONE, Takes.SEVERAL}
    row.operator = operator
    if not kept:
        row.words = (_FIRST_SPAN,) if after is Takes.SPAN else ()
    elif after is Takes.ONE:
        row.words = row.words[:1]


def takes_free_list(tested: Field, operator: Operator) -> bool:
    """The values are typed as one list, not chosen from the known ones."""
    return USAGES[operator].takes is Takes.SEVERAL and not has_choices(tested)


def has_choices(tested: Field) -> bool:
    """Values come from a closed list: the field's own, or the groups of the store."""
    return bool(tested.choices) or tested.name == "group" or tested.type is FieldType.BOOLEAN


def _problem_of(row: Row, group_names: Sequence[str]) -> str:
    try:
        condition = row.condition()
    except CriteriaError as error:
        return f"{error.message}: {error.hint}" if error.hint else error.message
    if row.field.name != "group":
        return ""
    known = [fold(name) for name in group_names]
    for name in condition.values:
        if fold(str(name)) not in known:
            hint = did_you_mean(str(name), known)
            return f"unknown group '{shown(str(name))}'" + (f": {hint}" if hint else "")
    return ""


def _branches(criteria: Criteria) -> tuple[Sequence[Condition | Criteria], ...]:
    return criteria.all, criteria.any, criteria.none


def _draft_part(part: Condition | Criteria) -> Part:
    if isinstance(part, Condition):
        return row_of(part)
    groups = [
        Group(mode, [_draft_part(inner) for inner in parts])
        for mode, parts in zip(Mode, _branches(part), strict=True)
        if parts
    ]
    return groups[0] if len(groups) == 1 else Group(Mode.ALL, [*groups])


def _state_of(part: Part) -> PartState:
    if isinstance(part, Row):
        return (part.field, part.operator, part.words)
    return (part.mode, tuple(map(_state_of, part.parts)))


def _restored(state: PartState) -> Any:
    match state:
        case (mode, parts):
            return Group(cast(Mode, mode), [_restored(p) for p in cast(State, parts)])
    return Row(*cast(tuple[Field, Operator, tuple[str, ...]], state))


def _part_of(part: Part) -> Condition | Criteria:
    if isinstance(part, Row):
        return part.condition()
    parts = tuple(map(_part_of, part.parts))
    match part.mode:
        case Mode.ALL:
            return Criteria(all=parts)
        case Mode.ANY:
            return Criteria(any=parts)
    return Criteria(none=parts)


# Criteria as text to copy into a shell


def criteria_as_flags(criteria: Criteria) -> str:
    """The flags of `preview` and `deactivate`; for nested groups, what to do instead."""
    flags = as_flags(criteria)
    if flags is None:
        return "Nested groups have no flags.\nSave them as YAML: --criteria FILE takes that."
    return flags.replace(" --where", " \\\n  --where")


def draft_as_text(draft: Draft) -> str:
    """What a draft says, to be copied: as flags, as YAML where groups are nested, and where rows
    are not finished as its lines.
    """
    try:
        criteria = draft.criteria()
    except CriteriaError:
        return "\n".join(_lines(draft.groups))
    flags = as_flags(criteria)
    return criteria_as_yaml(criteria) if flags is None else f"contactctl preview {flags}"


def _lines(parts: Sequence[Part], indent: str = "") -> Iterator[str]:
    for part in parts:
        if isinstance(part, Row):
            yield indent + part.text()
        elif part.parts:
            yield f"{indent}{part.mode}:"
            yield from _lines(part.parts, indent + "  ")


# Undo and redo: the states that a draft has had


_MOST_STATES = 500


class History:
    """Remembers the draft after every edit; typing in one entry is one edit."""

    def __init__(self, state: State) -> None:
        self._now = state
        self._before: list[State] = []
        self._after: list[State] = []
        self._last_entry: Hashable | None = None

    def remember(self, draft: Draft, entry: Hashable | None = None) -> None:
        """The draft has been edited; `entry` is where, if more edits there belong to this one."""
        state = draft.state()
        if state == self._now:
            return
        if entry is None or entry != self._last_entry:
            self._before = [*self._before[1 - _MOST_STATES :], self._now]
        self._last_entry = entry
        self._now = state
        self._after.clear()

    def undo(self) -> State | None:
        """The state before the last edit; None where there is none."""
        return self._step(self._before, self._after)

    def redo(self) -> State | None:
        """The state that was undone last; None where there is none."""
        return self._step(self._after, self._before)

    def _step(self, source: list[State], target: list[State]) -> State | None:
        self._last_entry = None
        if not source:
            return None
        target.append(self._now)
        self._now = source.pop()
        return self._now
