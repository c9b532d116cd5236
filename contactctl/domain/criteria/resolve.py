"""Criteria at one moment: every relative or local time converted once to dates and instants.

Operators are reduced to five tests, which say what they mean in plain Python; the SQL of every
database implements them, and is held to tests/helpers/criteria_reference.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contactctl.domain.criteria.conditions import Condition, format_condition
from contactctl.domain.criteria.fields import FieldType, Operator
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.criteria.values import Span, shift_date, shift_instant, start_of_day
from contactctl.domain.emails import key_or_folded
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import fold

Bound = int | float | date | datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """The value exists, or is missing."""

    exists: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value, or a member of the set, is one of these; texts are folded."""

    values: tuple[str | bool | int | float, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """There is a value, and neither it nor a member of the set is one of these."""

    values: tuple[str | bool | int | float, ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The folded value contains, starts with or ends with this folded text, taken literally."""

    operator: Operator
    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """The value lies between the bounds; None is no bound. Dates for dates, UTC for instants."""

    lower: Bound | None = None
    upper: Bound | None = None
    lower_included: bool = True
    upper_included: bool = True


Test = Presence | OneOf | NoneOf | TextMatch | Range
Comparable = str | Bound


def holds(test: Test, values: frozenset[Comparable]) -> bool:
    """Whether a field with these values passes the test; a plain field has one, or none."""
    match test:
        case Presence(exists):
            return bool(values) is exists
        case OneOf(wanted):
            return not values.isdisjoint(wanted)
        case NoneOf(unwanted):
            return bool(values) and values.isdisjoint(unwanted)
        case TextMatch():
            return any(_has_text(str(value), test) for value in values)
        case Range():
            return any(_lies_within(value, test) for value in values)


def _has_text(value: str, test: TextMatch) -> bool:
    match test.operator:
        case Operator.STARTS_WITH:
            return value.startswith(test.text)
        case Operator.ENDS_WITH:
            return value.endswith(test.text)
        case _:
            return test.text in value


def _lies_within(value: Any, test: Range) -> bool:
    lower, upper = _like(value, test.lower), _like(value, test.upper)
    above = lower is None or value > lower or (test.lower_included and value == lower)
    below = upper is None or value < upper or (test.upper_included and value == upper)
    return above and below


def _like(value: Comparable, bound: Bound | None) -> Any:
    """The bound in the value's form: dates in attributes are ISO text, and sort as such."""
    return bound.isoformat() if isinstance(value, str) and isinstance(bound, date) else bound


@dataclass(frozen=True)
class ResolvedCriteria:
    """Criteria as of one instant: `tests` says what each condition compares with."""

    criteria: Criteria
    as_of: datetime
    zone: ZoneInfo
    tests: Mapping[Condition, Test]

    def describe(self) -> list[tuple[str, str]]:
        """Each condition as written, and with its dates and instants filled in, in the zone's time.

        Both are conditions that `parse_condition` reads, and select the same contacts.
        """
        return [
            (format_condition(condition), format_condition(self.with_dates(condition), self.zone))
            for condition in self.criteria.conditions()
        ]

    def with_dates(self, condition: Condition) -> Condition:
        """A condition with the same meaning, whenever and wherever it is read."""
        test = self.tests[condition]
        if not isinstance(test, Range) or condition.field.type is FieldType.NUMBER:
            return condition
        operator, *values = _absolute(test)
        if len(values) == 2 and values[0] > values[1]:  # a day that the zone's clocks skipped
            return condition
        return Condition(condition.field, operator, tuple(values))


def _absolute(test: Range) -> tuple[Any, ...]:
    """An operator and its values; for instants, with a precision of microseconds."""
    lower: Any = test.lower
    upper: Any = test.upper
    if lower is None:
        return Operator.BEFORE, upper
    if upper is None:
        return Operator.AFTER, lower - datetime.resolution if test.lower_included else lower
    if lower == upper and not isinstance(lower, datetime):
        return Operator.ON, lower
    return Operator.BETWEEN, lower, upper if test.upper_included else upper - datetime.resolution


def resolve(criteria: Criteria, now: datetime, zone: ZoneInfo) -> ResolvedCriteria:
    """The criteria as of `now` (aware); days, months and years are those of `zone`.

    Raises CriteriaError where a span leaves the calendar.
    """
    resolver = _Resolver(now.astimezone(UTC), zone)
    tests = {condition: resolver.test(condition) for condition in criteria.conditions()}
    return ResolvedCriteria(criteria, now.astimezone(UTC), zone, tests)


@dataclass(frozen=True, slots=True)
class _Resolver:
    now: datetime
    zone: ZoneInfo

    def test(self, condition: Condition) -> Test:
        match condition.operator:
            case Operator.MISSING | Operator.EXISTS:
                return Presence(condition.operator is Operator.EXISTS)
            case Operator.EQUALS | Operator.IN:
                return OneOf(_comparable(condition))
            case Operator.NOT_EQUALS | Operator.NOT_IN:
                return NoneOf(_comparable(condition))
            case Operator.CONTAINS | Operator.STARTS_WITH | Operator.ENDS_WITH:
                return TextMatch(condition.operator, fold(str(condition.values[0])))
            case _:
                return self._range(condition)

    def _range(self, condition: Condition) -> Range:
        if isinstance(condition.values[0], Span):
            return self._relative_range(condition, condition.values[0])
        if condition.field.type is FieldType.INSTANT:
            return self._instant_range(condition)
        return _plain_range(condition)

    def _relative_range(self, condition: Condition, span: Span) -> Range:
        is_date = condition.field.type is FieldType.DATE
        now = self.now.astimezone(self.zone).date() if is_date else self.now
        match condition.operator:
            case Operator.OLDER_THAN:
                return Range(upper=self._shifted(now, span, -1), upper_included=False)
            case Operator.WITHIN_LAST:
                return Range(self._shifted(now, span, -1), now)
            case Operator.WITHIN_NEXT:
                return Range(now, self._shifted(now, span, 1))
            case _:
                return Range(self._shifted(now, span, 1), lower_included=False)

    def _shifted(self, now: date | datetime, span: Span, direction: int) -> date | datetime:
        try:
            if isinstance(now, datetime):
                return shift_instant(now, span, direction, self.zone)
            return shift_date(now, span, direction)
        except (ValueError, OverflowError):
            raise CriteriaError(f"{span} from {now.year} is outside the calendar") from None

    def _instant_range(self, condition: Condition) -> Range:
        first, last = condition.values[0], condition.values[-1]
        start, end = self._start(first), self._end(last)
        ends_before = not isinstance(last, datetime)  # a whole day ends before the next begins
        match condition.operator:
            case Operator.BEFORE:
                return Range(upper=start, upper_included=False)
            case Operator.AFTER:
                return Range(end, lower_included=ends_before)
            case _:
                return Range(start, end, upper_included=not ends_before)

    def _start(self, value: Any) -> datetime:
        return value if isinstance(value, datetime) else start_of_day(value, self.zone)

    def _end(self, value: Any) -> datetime:
        """The instant itself, or the beginning of the day after the date."""
        if isinstance(value, datetime):
            return value
        return start_of_day(value + timedelta(days=1), self.zone)


def _plain_range(condition: Condition) -> Range:
    values: tuple[Any, ...] = condition.values
    lower, upper = values[0], values[-1]
    match condition.operator:
        case Operator.LESS | Operator.BEFORE:
            return Range(upper=upper, upper_included=False)
        case Operator.AT_MOST:
            return Range(upper=upper)
        case Operator.GREATER | Operator.AFTER:
            return Range(lower, lower_included=False)
        case Operator.AT_LEAST:
            return Range(lower)
        case _:
            return Range(lower, upper)


def _comparable(condition: Condition) -> tuple[str | bool | int | float, ...]:
    values: tuple[Any, ...] = condition.values
    normal_form = _NORMAL_FORMS.get(condition.field.name, fold)
    return tuple(normal_form(value) if isinstance(value, str) else value for value in values)


def _domain_key(domain: str) -> str:
    return key_or_folded(f"x@{domain}").removeprefix("x@")


_NORMAL_FORMS = {"email": key_or_folded, "email_domain": _domain_key}


# Criteria as indented lines, as in a criteria file, with every date calculated


_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+")


def criteria_lines(resolved: ResolvedCriteria) -> list[str]:
    """The tree, a line for each branch and condition; a plain list where all must hold.

    People get the dates to the second; `describe` has them whole.
    """
    counted = {
        written: _FRACTION.sub("", dates)
        for written, dates in resolved.describe()
        if written != dates
    }
    criteria = resolved.criteria
    if not criteria.any and not criteria.none:
        return [line for part in criteria.all for line in _part_lines(part, counted, "")]
    return _branch_lines(criteria, counted, "")


def _branch_lines(criteria: Criteria, counted: dict[str, str], indent: str) -> list[str]:
    lines = []
    for name, parts in criteria.branches:
        lines.append(f"{indent}{name}:")
        lines += [line for part in parts for line in _part_lines(part, counted, f"{indent}  ")]
    return lines


def _part_lines(part: Condition | Criteria, counted: dict[str, str], indent: str) -> list[str]:
    if isinstance(part, Criteria):
        return _branch_lines(part, counted, indent)
    written = format_condition(part)
    dates = counted.get(written)
    return [f"{indent}{written}   ({dates})" if dates else f"{indent}{written}"]
