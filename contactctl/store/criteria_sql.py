"""Criteria as SQL over `contact`, for SQLite and Postgres; every value is bound.

A condition on a missing value is NULL or false, never true. That is enough under AND and OR, where
only true selects; `none` makes two values of three before it negates.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Numeric,
    Text,
    and_,
    any_,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from contactctl.domain.conditions import Condition
from contactctl.domain.criteria import Criteria
from contactctl.domain.fields import Field, FieldType
from contactctl.domain.operators import Operator
from contactctl.domain.resolve import (
    NoneOf,
    OneOf,
    Presence,
    Range,
    ResolvedCriteria,
    Test,
    TextMatch,
)
from contactctl.store.field_sql import Clause, SetRows, Value, field_value, set_rows
from contactctl.store.tables import contact


def is_active() -> Clause:
    """Active contacts alone; a literal, so that SQLite too uses the partial index."""
    return contact.c.status == literal_column("'active'")


def where_clause(resolved: ResolvedCriteria, dialect: str) -> Clause:
    """The contacts that meet the criteria, active or not, as a condition on `contact`."""
    return _Compiler(resolved.tests, dialect).clause(resolved.criteria)


def missing_clause(field: Field, dialect: str) -> Clause:
    """The contacts that have no value of the field, or none of the declared type."""
    return _Compiler({}, dialect).missing(field)


def left_out_clause(resolved: ResolvedCriteria, field: Field, dialect: str) -> Clause:
    """The active contacts left out because the field is missing.

    They do not match, and would if missing values satisfied the conditions under `all` and `any`.
    """
    lenient = _Compiler(resolved.tests, dialect, let_missing_pass=True)
    return and_(
        is_active(),
        lenient.missing(field),
        lenient.clause(resolved.criteria),
        _is_not_true(where_clause(resolved, dialect)),
    )


def fields_that_leave_out(criteria: Criteria) -> list[Field]:
    """The fields whose missing values can leave contacts out, in the order written."""
    fields = {c.field: None for c in _wanted(criteria) if not c.field.always_present}
    return list(fields)


def count_left_out(
    connection: Connection, resolved: ResolvedCriteria, dialect: str
) -> dict[str, int]:
    """How many active contacts each field's missing values leave out, by field name."""
    counts = {}
    for field in fields_that_leave_out(resolved.criteria):
        clause = left_out_clause(resolved, field, dialect)
        query = select(func.count()).select_from(contact).where(clause)
        counts[field.name] = connection.execute(query).scalar_one()
    return counts


def _wanted(part: Condition | Criteria) -> Iterator[Condition]:
    """The conditions that a value must satisfy: those outside `none`, presence tests aside."""
    if isinstance(part, Criteria):
        for inner in part.all + part.any:
            yield from _wanted(inner)
    elif part.operator not in (Operator.MISSING, Operator.EXISTS):
        yield part


@dataclass(frozen=True, slots=True)
class _Compiler:
    """With `let_missing_pass` missing values satisfy the conditions of `all` and `any`."""

    tests: Mapping[Condition, Test]
    dialect: str
    let_missing_pass: bool = False

    def clause(self, part: Condition | Criteria) -> Clause:
        if isinstance(part, Condition):
            return self._condition(part)
        clauses = [self.clause(inner) for inner in part.all]
        if part.any:
            clauses.append(or_(*(self.clause(inner) for inner in part.any)))
        if part.none:
            strict = _Compiler(self.tests, self.dialect)
            clauses.append(_is_not_true(or_(*(strict.clause(inner) for inner in part.none))))
        return and_(*clauses)

    def missing(self, field: Field) -> Clause:
        return self._presence(field, wanted=False)

    def _condition(self, condition: Condition) -> Clause:
        field, test = condition.field, self.tests[condition]
        if isinstance(test, Presence):
            return self._presence(field, wanted=test.exists)
        passes = self._on_set(field, test) if _is_set(field) else self._on_value(field, test)
        if self.let_missing_pass and not field.always_present:
            return or_(passes, self.missing(field))
        return passes

    def _presence(self, field: Field, *, wanted: bool) -> Clause:
        if _is_set(field):
            present = _has_member(set_rows(field))
            return present if wanted else not_(present)
        value = field_value(field, self.dialect)
        return value.is_not(None) if wanted else value.is_(None)

    def _on_set(self, field: Field, test: Test) -> Clause:
        rows = set_rows(field)
        if isinstance(test, NoneOf):
            is_one_of = partial(self._is_one_of, values=test.values)
            return and_(_has_member(rows), not_(_has_member(rows, is_one_of)))
        assert isinstance(test, OneOf)  # noqa: S101 (sets have no other operators)
        return _has_member(rows, partial(self._is_one_of, values=test.values))

    def _on_value(self, field: Field, test: Test) -> Clause:
        value = field_value(field, self.dialect)
        match test:
            case OneOf(wanted):
                return self._is_one_of(value, wanted)
            case NoneOf(unwanted):
                return not_(self._is_one_of(value, unwanted))
            case TextMatch():
                return self._has_text(value, test)
            case Range():
                return self._lies_within(value, test)
            case Presence():
                return self._presence(field, wanted=test.exists)

    def _is_one_of(self, value: Value, values: tuple[Any, ...]) -> Clause:
        """One bound parameter, however many values: databases limit their number."""
        bindable = [self._bindable(value, each) for each in values]
        if len(bindable) == 1:
            is_equal: Clause = value == bindable[0]
            return is_equal
        if self.dialect == "sqlite":
            listed = func.json_each(json.dumps(bindable)).table_valued("value")
            return value.in_(select(listed.c.value))
        return value == any_(literal(bindable, ARRAY(value.type)))

    def _lies_within(self, value: Value, test: Range) -> Clause:
        bounds = []
        if test.lower is not None:
            lower = self._bindable(value, test.lower)
            bounds.append(value >= lower if test.lower_included else value > lower)
        if test.upper is not None:
            upper = self._bindable(value, test.upper)
            bounds.append(value <= upper if test.upper_included else value < upper)
        return and_(*bounds)

    def _bindable(self, value: Value, compared: Any) -> Any:
        """What the value is compared with, in a form that keeps the database from converting it.

        Dates in attributes are ISO text, which sorts as dates do. Next to a double, Postgres would
        make doubles of an attribute's numbers, and fail where one does not fit.
        """
        if isinstance(compared, date) and isinstance(value.type, Text):
            return compared.isoformat()
        if isinstance(value.type, Numeric) and self.dialect != "sqlite":
            return Decimal(repr(compared))
        return compared

    def _has_text(self, value: Value, test: TextMatch) -> Clause:
        """Literally: no LIKE, so % _ and \\ mean themselves."""
        text, length = test.text, len(test.text)
        on_sqlite = self.dialect == "sqlite"
        match test.operator:
            case Operator.STARTS_WITH:
                return func.substr(value, 1, length) == text
            case Operator.ENDS_WITH:
                tail = func.substr(value, -length) if on_sqlite else func.right(value, length)
                return tail == text
            case _:
                position: Value = (func.instr if on_sqlite else func.strpos)(value, text)
                return position > 0


def _is_set(field: Field) -> bool:
    return field.type is FieldType.SET


def _has_member(rows: SetRows, is_one_of: Callable[[Value], Clause] | None = None) -> Clause:
    query = exists().select_from(rows.table).where(rows.of_contact).correlate(contact)
    return query.where(rows.is_one_of(is_one_of)) if is_one_of else query


def _is_not_true(clause: ColumnElement[bool]) -> Clause:
    """A true complement: where the clause is unknown, it is not true."""
    return not_(func.coalesce(clause, false()))
