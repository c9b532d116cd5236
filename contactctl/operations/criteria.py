"""From flags or a file to criteria as of now, and what they select in the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from contactctl import operations
from contactctl.config.criteria import read_criteria
from contactctl.domain.criteria.conditions import Condition, parse_condition
from contactctl.domain.criteria.fields import Field, FieldCatalogue, FieldType, did_you_mean
from contactctl.domain.criteria.resolve import ResolvedCriteria, criteria_lines, resolve
from contactctl.domain.criteria.tree import (
    Criteria,
    as_data,
    excluding_conditions,
    from_flags,
    including_missing,
    prebuilt_criteria,
)
from contactctl.domain.errors import CriteriaError, UsageError
from contactctl.domain.policies import BillingTier, tier_for
from contactctl.domain.run_details import KeptCriteria, KeptList
from contactctl.domain.runs import Stakes, stakes_of
from contactctl.domain.text import counted, fold, show_safely
from contactctl.operations.response_policy import bypassing_groups
from contactctl.operations.session import Session
from contactctl.store import selections
from contactctl.store.contacts import some_tags, tags_among
from contactctl.store.criteria import where_clause
from contactctl.store.fields import SORTABLE
from contactctl.store.groups import group_names, list_groups
from contactctl.store.impact import Shift, losses_of_contacts

EVERYBODY = "id exists"  # the criteria that a list of addresses has for company


@dataclass(frozen=True, slots=True)
class CriteriaSource:
    """Where criteria come from: conditions on flags, or a file, relative to `folder`.

    `prebuilt` is the name of some that come with the program. With `stdin` they are read from
    there. `emails` is a list of addresses that the contacts must be in as well.
    """

    where: Sequence[str] = ()
    where_any: Sequence[str] = ()
    where_not: Sequence[str] = ()
    file: Path | None = None
    prebuilt: str | None = None
    folder: Path = Path()
    stdin: BinaryIO | None = None
    emails: "operations.address_lists.EmailsFile | None" = None

    @property
    def has_flags(self) -> bool:
        return bool(self.where or self.where_any or self.where_not)

    def read(self, catalogue: FieldCatalogue) -> Criteria | None:
        """The criteria; None when neither flags nor a file were given, nor a list of addresses.

        A list alone goes with criteria that everybody meets.
        """
        given = self._read(catalogue)
        if given is None and self.emails is not None:
            return Criteria(all=(parse_condition(EVERYBODY, catalogue),))
        return given

    def _read(self, catalogue: FieldCatalogue) -> Criteria | None:
        if self.prebuilt is not None:
            if self.has_flags or self.file is not None:
                raise UsageError(
                    "--prebuilt cannot be combined with --criteria and --where flags",
                    hint="`contactctl criteria list` shows its conditions, to be copied",
                )
            return prebuilt_criteria(self.prebuilt)
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
    """Criteria ready to be asked. `prebuilt`: they come with the program.

    `listed`: the addresses that the contacts must have as well.
    """

    resolved: ResolvedCriteria
    prebuilt: bool = False
    listed: "operations.address_lists.Listed | None" = None

    @property
    def criteria(self) -> Criteria:
        return self.resolved.criteria

    @property
    def lines(self) -> list[str]:
        """The criteria as people read them, with every date counted out."""
        lines = criteria_lines(self.resolved)
        if self.listed is None:
            return lines
        is_alone = lines == [EVERYBODY]
        return [*([] if is_alone else lines), _list_line(self.listed.kept)]

    def where(self, dialect: str) -> selections.Where:
        """The contacts that the selection means, active or not, as a condition."""
        meets_criteria = where_clause(self.resolved, dialect)
        return meets_criteria & self.listed.contacts.are_meant() if self.listed else meets_criteria

    def listed_where(self) -> list[selections.Where]:
        """The condition that the list makes, where there is one."""
        return [self.listed.contacts.are_meant()] if self.listed else []

    def kept(self) -> KeptCriteria:
        """What a run keeps of them."""
        return KeptCriteria(
            criteria=as_data(self.criteria),
            conditions=tuple(self.resolved.describe()),
            lines=tuple(self.lines),
            as_of=self.resolved.as_of,
            time_zone=self.resolved.zone.key,
            prebuilt=self.prebuilt,
            emails=self.listed.kept if self.listed else None,
        )


def _list_line(kept: KeptList) -> str:
    """`email is one of the 1,000 in churned.txt (12 of them unknown, 3 lines unreadable)`."""
    unknown = f"{kept.unknown:,} of them unknown" if kept.unknown else ""
    lines = f"{counted(kept.unreadable, 'line')} unreadable" if kept.unreadable else ""
    what = ", ".join(filter(None, (unknown, lines)))
    text = f"email is one of the {kept.addresses:,} in {kept.file}"
    return f"{text} ({what})" if what else text


def select_contacts(session: Session, source: CriteriaSource) -> Selection:
    """The given criteria, or the prebuilt ones, as of now. Raises CriteriaError."""
    given = source.read(session.catalogue)
    criteria = given or prebuilt_criteria()
    prebuilt = given is None or source.prebuilt is not None
    return selection_of(session, criteria, prebuilt=prebuilt, emails=source.emails)


def selection_of(
    session: Session,
    criteria: Criteria,
    *,
    prebuilt: bool = False,
    emails: "operations.address_lists.EmailsFile | None" = None,
) -> Selection:
    """Criteria as of now; CriteriaError for a name that the store does not have.

    Any group must exist, and a tag that is excluded: mistyped, it would exclude nobody.
    """
    _require_known_groups(session, criteria)
    _require_carried_tags(session, criteria)
    listed = operations.address_lists.read_listed(session, emails) if emails else None
    return Selection(resolve(criteria, session.now, session.time_zone), prebuilt, listed)


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


# What criteria select, and what deactivating it would mean; nothing is written


PREVIEW_ROWS = 30


@dataclass(frozen=True, slots=True)
class Impact:
    """What a run changes: totals, what is paid, and by group the members it loses or regains.

    `brings_back`: it is the impact of taking a deactivation back; `is_for_good`: of an erasure.
    """

    active_before: int
    active_after: int
    tier_before: BillingTier | None
    tier_after: BillingTier | None
    currency: str
    members_lost: Mapping[str, int] = field(default_factory=dict)
    members_regained: Mapping[str, int] = field(default_factory=dict)
    brings_back: bool = False
    is_for_good: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A selection, counted. `left_out` maps a field to active contacts without a value for it.

    `rows` are the first contacts, with their values of `fields`, which are all there are. The
    members that groups lose are part of the `impact` only where they were asked for.
    """

    database: str
    selection: Selection
    count: int
    active_total: int
    left_out: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    stakes: Stakes
    impact: Impact

    def include_hint(self, field_name: str) -> str:
        """How to write the criteria so that contacts without that value are included."""
        return including_missing(self.selection.criteria, field_name)


def preview(
    session: Session,
    selection: Selection,
    *,
    with_members_lost: bool = False,
    limit: int = PREVIEW_ROWS,
    sort: str = "id",
) -> Preview:
    """Count and show the active contacts that the selection means, in one state of the store.

    `sort` is a field, with a minus before it for descending; UsageError for one that has no order.
    """
    require_sortable(sort)
    bypassing = bypassing_groups(session) if with_members_lost else ()
    criteria, listed = selection.resolved, selection.listed_where()
    with (
        session.store.reading() as connection,
        selections.found_matching(connection, criteria, *listed, once=with_members_lost) as (
            ids,
            match,
        ),
    ):
        counted = selections.count_matching(connection, criteria, *listed, match=match)
        count, active_total = counted.match, counted.active
        losses = Shift(count, {})
        if with_members_lost:
            losses = losses_of_contacts(connection, ids, count, bypassing)
        return Preview(
            database=session.store.identity,
            selection=selection,
            count=count,
            active_total=active_total,
            left_out=counted.left_out,
            rows=selections.first_matching(connection, ids, limit, sort, criteria, *listed),
            fields=session.catalogue.names(),
            stakes=stakes_of("deactivate", count, active_total, session.settings.limits),
            impact=impact_of(session, active_total, losses),
        )


def require_sortable(sort: str) -> None:
    """UsageError for a field that contacts cannot be sorted by."""
    name = sort.removeprefix("-")
    if name not in SORTABLE:
        hint = did_you_mean(name, list(SORTABLE)) or f"one of {', '.join(SORTABLE)}"
        raise UsageError(f"cannot sort by '{name}'", hint=hint)


def impact_of(session: Session, active_total: int, shift: Shift) -> Impact:
    """What such a change of status means beside `active_total` active contacts."""
    billing = session.settings.billing
    after = active_total + (shift.contacts if shift.brings_back else -shift.contacts)
    return Impact(
        active_before=active_total,
        active_after=after,
        tier_before=tier_for(active_total, billing),
        tier_after=tier_for(after, billing),
        currency=billing.currency,
        members_lost={} if shift.brings_back else shift.members,
        members_regained=shift.members if shift.brings_back else {},
        brings_back=shift.brings_back,
    )


# The values to choose from when a condition is written


_MOST_VALUES = 200


def has_values_to_choose(tested: Field) -> bool:
    """Whether several contacts may have the same value, which is a word and not a number."""
    is_word = tested.type in (FieldType.TEXT, FieldType.CHOICE) and tested.name != "email"
    return is_word or tested.name in ("tag", "group")


def values_held(session: Session, tested: Field, searched: str = "") -> list[tuple[str, int]]:
    """Values of such a field that contain a text, each with how many active contacts have it.

    The most frequent ones, and of groups all, those without active members included.
    """
    folded = fold(searched.strip())
    with session.store.reading() as connection:
        if tested.name != "group":
            return selections.frequent_values(connection, tested, folded, _MOST_VALUES)
        groups = list_groups(connection)
    return [(each.name, each.active_members) for each in groups if folded in fold(each.name)]
