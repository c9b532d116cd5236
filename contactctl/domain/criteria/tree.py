"""Criteria: a tree of conditions under `all`, `any` and `none`. Immutable.

Some come with the program.
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from contactctl.domain.criteria.conditions import Condition, format_condition, parse_condition
from contactctl.domain.criteria.fields import FieldCatalogue, Operator, did_you_mean
from contactctl.domain.criteria.values import shown
from contactctl.domain.errors import CriteriaError
from contactctl.domain.lazy import dataclass
from contactctl.domain.text import show_safely

MAX_CONDITIONS = 500  # SQLite's parser allows expressions 1,000 deep
MAX_DEPTH = 32
MAX_VALUES = 10_000


@dataclass(frozen=True)
class Criteria:
    """Matches when every part of `all`, at least one of `any` (if given) and none of `none` does.

    Parts are conditions or criteria in turn; `name` is for people, and on the outermost alone.
    """

    name: str = ""
    all: tuple["Condition | Criteria", ...] = ()
    any: tuple["Condition | Criteria", ...] = ()
    none: tuple["Condition | Criteria", ...] = ()

    def __post_init__(self) -> None:
        if not self.parts:
            raise CriteriaError(
                "the criteria have no condition", hint="give a condition under all, any or none"
            )

    @property
    def branches(self) -> list[tuple[str, tuple["Condition | Criteria", ...]]]:
        """The branches that have parts, with their names."""
        named = (("all", self.all), ("any", self.any), ("none", self.none))
        return [branch for branch in named if branch[1]]

    @property
    def parts(self) -> tuple["Condition | Criteria", ...]:
        return self.all + self.any + self.none

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the tree, in the order written."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()


def from_flags(
    where: Sequence[str],
    where_any: Sequence[str],
    where_not: Sequence[str],
    catalogue: FieldCatalogue,
) -> Criteria:
    """Criteria from --where, --where-any and --where-not; an error names its flag and text."""
    criteria = Criteria(
        all=_parse_flags("--where", where, catalogue),
        any=_parse_flags("--where-any", where_any, catalogue),
        none=_parse_flags("--where-not", where_not, catalogue),
    )
    check_size(criteria)
    return criteria


def as_flags(criteria: Criteria) -> str | None:
    """The flags to copy into a shell; None for nested criteria, which only YAML can express."""
    flags = {"--where": criteria.all, "--where-any": criteria.any, "--where-not": criteria.none}
    words = []
    for flag, parts in flags.items():
        for part in parts:
            if not isinstance(part, Condition):
                return None
            words.append(f"{flag} {shlex.quote(format_condition(part))}")
    return " ".join(words)


def as_data(criteria: Criteria) -> dict[str, Any]:
    """The criteria as plain lists, mappings and condition texts, as in YAML and JSON."""
    name = {"name": criteria.name} if criteria.name else {}
    return name | {key: list(map(_part_as_data, parts)) for key, parts in criteria.branches}


def excluding_conditions(
    part: Condition | Criteria, *, negated: bool = False
) -> Iterator[Condition]:
    """The conditions that are true of contacts without the value, in order."""
    if isinstance(part, Condition):
        if negated is not (part.operator in (Operator.NOT_EQUALS, Operator.NOT_IN)):
            yield part
        return
    for inner in part.all + part.any:
        yield from excluding_conditions(inner, negated=negated)
    for inner in part.none:
        yield from excluding_conditions(inner, negated=not negated)


def check_size(criteria: Criteria) -> None:
    """CriteriaError for criteria that are too large for a database."""
    if depth_of(criteria) > MAX_DEPTH:
        raise CriteriaError(f"criteria nested deeper than {MAX_DEPTH} levels")
    conditions = list(criteria.conditions())
    if len(conditions) > MAX_CONDITIONS:
        raise CriteriaError(
            f"{len(conditions)} conditions", hint=f"at most {MAX_CONDITIONS}; 'in' takes a list"
        )
    values = sum(len(condition.values) for condition in conditions)
    if values > MAX_VALUES:
        raise CriteriaError(
            f"{values} values", hint=f"at most {MAX_VALUES}; give those contacts a tag or a group"
        )


def depth_of(part: Condition | Criteria) -> int:
    """How deep criteria nest: 1 for a flat list of conditions."""
    return 0 if isinstance(part, Condition) else 1 + max(map(depth_of, part.parts))


def including_missing(criteria: Criteria, field_name: str) -> str:
    """What to write so that contacts without that field's value are included, as one line.

    Empty when no top-level condition on the field leaves them out.
    """
    missing = f"{field_name} {Operator.MISSING}"
    if part := _leaving_out(criteria.any, field_name):
        flag = f"add --where-any {shlex.quote(missing)}"
        return f"below {part.place} add - {missing}" if _is_in_file(part) else flag
    part = _leaving_out(criteria.all, field_name)
    return _loosened(criteria, part, missing) if part else ""


def _is_in_file(condition: Condition) -> bool:
    return bool(condition.place) and not condition.place.startswith("--")


def _loosened(criteria: Criteria, condition: Condition, missing: str) -> str:
    text = format_condition(condition)
    alternatives = json.dumps([text, missing], ensure_ascii=False)  # which is YAML, too
    if _is_in_file(condition):
        return f"at {condition.place} write - any: {alternatives}"
    if criteria.any:
        return f"in a criteria file, under all: any: {alternatives}"
    return (
        f"instead of --where {shlex.quote(text)} write "
        f"--where-any {shlex.quote(text)} --where-any {shlex.quote(missing)}"
    )


def _leaving_out(parts: Sequence[Condition | Criteria], field_name: str) -> Condition | None:
    """The first condition that the contacts without the field's value do not meet."""
    on_field = (p for p in parts if isinstance(p, Condition) and p.field.name == field_name)
    presence = (Operator.MISSING, Operator.EXISTS)
    return next((part for part in on_field if part.operator not in presence), None)


def _parse_flags(
    flag: str, texts: Sequence[str], catalogue: FieldCatalogue
) -> tuple[Condition, ...]:
    conditions = []
    for text in texts:
        place = f"{flag} '{shown(text)}'"
        try:
            conditions.append(replace(parse_condition(text, catalogue), place=place))
        except CriteriaError as error:
            raise CriteriaError(f"{place}: {error.message}", hint=error.hint) from None
    return tuple(conditions)


def _part_as_data(part: Condition | Criteria) -> str | dict[str, Any]:
    return format_condition(part) if isinstance(part, Condition) else as_data(part)


# The criteria that come with the program, by name


@dataclass(frozen=True)
class Prebuilt:
    """Conditions that must all match, and others that none may; `title` for people."""

    name: str
    title: str
    all: Sequence[str]
    none: Sequence[str] = ()

    def criteria(self) -> Criteria:
        """The tree of conditions."""
        tree = from_flags(self.all, (), self.none, FieldCatalogue())
        return Criteria(self.title, tree.all, tree.any, tree.none)


PREBUILT = (
    Prebuilt(
        "no-opportunity",
        "Without an opportunity for 24 months",
        all=("last_opportunity older-than 24 months",),
    ),
    Prebuilt(
        "unengaged",
        "Ten mails or more since a person last opened or clicked, and more than 3 months",
        all=("mails_since_engaged >= 10",),
        none=("last_engaged within-last 3 months",),
    ),
)


def prebuilt_criteria(name: str = PREBUILT[0].name) -> Criteria:
    """Those of that name; without one, what `preview` and `deactivate` use without any criteria.

    Raises CriteriaError for an unknown name.
    """
    for each in PREBUILT:
        if each.name == name:
            return each.criteria()
    names = [each.name for each in PREBUILT]
    raise CriteriaError(
        f"there are no prebuilt criteria '{show_safely(name)}'",
        hint=did_you_mean(name, names) or f"`contactctl criteria list` has {', '.join(names)}",
    )
