"""From flags or a file to criteria as of now, checked against the groups of the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contactctl.config.criteria_file import read_criteria
from contactctl.domain.conditions import Condition
from contactctl.domain.criteria import (
    Criteria,
    as_data,
    excluding_conditions,
    from_flags,
    prebuilt_criteria,
)
from contactctl.domain.criteria_lines import criteria_lines
from contactctl.domain.errors import CriteriaError, UsageError
from contactctl.domain.fields import FieldCatalogue, did_you_mean
from contactctl.domain.resolve import ResolvedCriteria, resolve
from contactctl.domain.run_kinds import KeptCriteria
from contactctl.domain.text import fold, show_safely
from contactctl.operations.session import Session
from contactctl.store.groups import group_names
from contactctl.store.tags import some_tags, tags_among


@dataclass(frozen=True, slots=True)
class CriteriaSource:
    """Where criteria come from: conditions on flags, or a file, relative to `folder`.

    With `stdin` they are read from there.
    """

    where: Sequence[str] = ()
    where_any: Sequence[str] = ()
    where_not: Sequence[str] = ()
    file: Path | None = None
    folder: Path = Path()
    stdin: BinaryIO | None = None

    @property
    def has_flags(self) -> bool:
        return bool(self.where or self.where_any or self.where_not)

    def read(self, catalogue: FieldCatalogue) -> Criteria | None:
        """The criteria; None when neither flags nor a file were given."""
        if self.file is None:
            if not self.has_flags:
                return None
            return from_flags(self.where, self.where_any, self.where_not, catalogue)
        if self.has_flags:
            raise UsageError(
                "--criteria and --where flags cannot be combined",
                hint="put all conditions into the file, or all into flags",
            )
        if self.stdin is not None:
            return read_criteria(self.stdin, "standard input", catalogue)
        return read_criteria(self.folder / self.file, str(self.file), catalogue)


@dataclass(frozen=True, slots=True)
class Selection:
    """Criteria ready to be asked. `prebuilt`: none were given, and the built-in ones stand in."""

    resolved: ResolvedCriteria
    prebuilt: bool = False

    @property
    def criteria(self) -> Criteria:
        return self.resolved.criteria

    @property
    def lines(self) -> list[str]:
        """The criteria as people read them, with every date counted out."""
        return criteria_lines(self.resolved)

    def kept(self) -> KeptCriteria:
        """What a run keeps of them."""
        return KeptCriteria(
            criteria=as_data(self.criteria),
            conditions=tuple(self.resolved.describe()),
            lines=tuple(self.lines),
            as_of=self.resolved.as_of,
            time_zone=self.resolved.zone.key,
            prebuilt=self.prebuilt,
        )


def select_contacts(session: Session, source: CriteriaSource) -> Selection:
    """The given criteria, or the prebuilt ones, as of now. Raises CriteriaError."""
    given = source.read(session.catalogue)
    return selection_of(session, given or prebuilt_criteria(), prebuilt=given is None)


def selection_of(session: Session, criteria: Criteria, *, prebuilt: bool = False) -> Selection:
    """Criteria as of now; CriteriaError for a name that the store does not have.

    Any group must exist, and a tag that is excluded: mistyped, it would exclude nobody.
    """
    _require_known_groups(session, criteria)
    _require_carried_tags(session, criteria)
    return Selection(resolve(criteria, session.now, session.time_zone), prebuilt)


def _require_known_groups(session: Session, criteria: Criteria) -> None:
    """A mistyped group selects nobody, or, negated, everybody: so it is an error."""
    named = _named(criteria.conditions(), "group")
    if not named:
        return
    with session.store.reading() as connection:
        known = [fold(name) for name in group_names(connection)]
    for name, place in named:
        if fold(name) not in known:
            hint = did_you_mean(name, known) or "`contactctl groups list` shows the groups"
            raise _unknown(f"unknown group '{show_safely(name)}'", place, hint)


def _require_carried_tags(session: Session, criteria: Criteria) -> None:
    excluded = _named(excluding_conditions(criteria), "tag")
    if not excluded:
        return
    with session.store.reading() as connection:
        carried = tags_among(connection, [fold(tag) for tag, _ in excluded])
        for tag, place in excluded:
            if fold(tag) not in carried:
                nobody = "no contact has this tag: remove the condition, or check the spelling"
                hint = did_you_mean(fold(tag), some_tags(connection)) or nobody
                message = f"no contact to exclude has the tag '{show_safely(tag)}'"
                raise _unknown(message, place, hint)


def _named(conditions: Iterable[Condition], field_name: str) -> list[tuple[str, str]]:
    """The texts that conditions on that field name, and where they were written."""
    return [
        (value, condition.place)
        for condition in conditions
        if condition.field.name == field_name
        for value in condition.values
        if isinstance(value, str)
    ]


def _unknown(message: str, place: str, hint: str) -> CriteriaError:
    return CriteriaError(f"{place}: {message}" if place else message, hint=hint)
