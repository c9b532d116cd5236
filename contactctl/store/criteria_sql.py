"""Criteria as SQL over `contact`, for SQLite and Postgres; every value is bound.

A condition on a missing value is NULL or false, never true. That is enough under AND and OR, where
only true selects; `none` makes two values of three before it negates.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
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
    true,
)
from sqlalchemy.sql import visitors

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
from contactctl.store.field_sql import Clause, MemberTest, Value, field_value, set_rows
from contactctl.store.tables import contact

_ACTIVE_WITHOUT_INDEX: Clause = literal_column("NOT contact.status <> 'active'", Boolean())


def is_active() -> Clause:
    """Active contacts alone; a literal, so that SQLite too uses the partial index."""
    return contact.c.status == literal_column("'active'")


def active_where(where: Clause) -> Clause:
    """The active contacts that fulfil `where`, a condition on `contact`.

    Where nothing is asked of the partial index's column, the double negation keeps SQLite from
    walking that index and fetching every row out of order (1 M contacts: 2.5 s, not 0.4 s).
    """
    asked = any(part is contact.c.last_opportunity for part in visitors.iterate(where))
    return and_(is_active() if asked else _ACTIVE_WITHOUT_INDEX, where)


def where_clause(resolved: ResolvedCriteria, dialect: str) -> Clause:
    """The contacts that meet the criteria, active or not, as a condition on `contact`."""
    return _Compiler(resolved.tests, dialect).clause(resolved.criteria)


def missing_clause(field: Field, dialect: str) -> Clause:
    """The contacts that have no value of the field, or none of the declared type."""
    return _Compiler({}, dialect).presence(field, wanted=False)


def left_out_clause(resolved: ResolvedCriteria, field: Field, dialect: str) -> Clause:
    """The active contacts left out because the field is missing.

    They do not match, and would if missing values satisfied the conditions under `all` and `any`.
    """
    strict = _Compiler(resolved.tests, dialect, missing=field)
    lenient = replace(strict, let_missing_pass=True)
    would_match = lenient.clause(resolved.criteria)
    return active_where(
        and_(
            strict.presence(field, wanted=False), would_match, strict.complement(resolved.criteria)
        )
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
    """The conditions that a value must satisfy: those outside `none`, presence tests aside.

    To ask for a group is to ask for its members: contacts in no group are not missing a value.
    """
    if isinstance(part, Criteria):
        for inner in part.all + part.any:
            yield from _wanted(inner)
    elif part.operator not in (Operator.MISSING, Operator.EXISTS) and not _asks_for_members(part):
        yield part


def _asks_for_members(condition: Condition) -> bool:
    members = condition.operator in (Operator.EQUALS, Operator.IN)
    return members and condition.field.type is FieldType.SET


@dataclass(frozen=True, slots=True)
class _Compiler:
    """With `let_missing_pass` missing values satisfy the conditions of `all` and `any`.

    `missing` is a field known to be missing, so that its conditions need not ask.
    """

    tests: Mapping[Condition, Test]
    dialect: str
    missing: Field | None = None
    let_missing_pass: bool = False

    def clause(self, part: Condition | Criteria) -> Clause:
        """True for the contacts that the part selects; for the others false or NULL."""
        if isinstance(part, Condition):
            return self._condition(part)
        strict = replace(self, let_missing_pass=False)
        clauses = [self.clause(inner) for inner in part.all]
        if part.any:
            clauses.append(or_(*(self.clause(inner) for inner in part.any)))
        clauses += [strict.complement(inner) for inner in part.none]
        return and_(*clauses)

    def complement(self, part: Condition | Criteria) -> Clause:
        """True for exactly the contacts that the part does not select."""
        clause = self.clause(part)
        return not_(clause if self._is_never_null(part) else func.coalesce(clause, false()))

    def _is_never_null(self, part: Condition | Criteria) -> bool:
        """Left without COALESCE, NOT EXISTS becomes an anti-join on Postgres."""
        if isinstance(part, Criteria):
            return all(self._is_never_null(inner) for inner in part.all + part.any)
        is_presence = isinstance(self.tests[part], Presence)
        is_set = part.field.type is FieldType.SET
        return is_presence or is_set or part.field.always_present or part.field == self.missing

    def _condition(self, condition: Condition) -> Clause:
        field, test = condition.field, self.tests[condition]
        if isinstance(test, Presence):
            return self.presence(field, wanted=test.exists)
        if field == self.missing:
            return true() if self.let_missing_pass else false()
        is_set = field.type is FieldType.SET
        passes = self._on_set(field, test) if is_set else self._on_value(field, test)
        if self.let_missing_pass and not field.always_present:
            return or_(passes, self.presence(field, wanted=False))
        return passes

    def presence(self, field: Field, *, wanted: bool) -> Clause:
        if field.type is FieldType.SET:
            present = self._has_member(field)
            return present if wanted else not_(present)
        value = field_value(field, self.dialect)
        return value.is_not(None) if wanted else value.is_(None)

    def _on_set(self, field: Field, test: Test) -> Clause:
        assert isinstance(test, OneOf | NoneOf)  # noqa: S101 (sets have no other operators)
        has_one = self._has_member(field, partial(self._is_one_of, values=test.values))
        if isinstance(test, OneOf):
            return has_one
        return and_(self._has_member(field), not_(has_one))

    def _has_member(self, field: Field, is_one_of: MemberTest | None = None) -> Clause:
        """EXISTS, which Postgres turns into joins; SQLite rather looks a list of ids up."""
        rows = set_rows(field, self.dialect)
        condition = (
            and_(rows.condition, rows.has_member(is_one_of)) if is_one_of else rows.condition
        )
        if is_one_of and self.dialect == "sqlite":
            return contact.c.id.in_(select(rows.contact_id).where(condition))
        of_contact = rows.contact_id == contact.c.id
        return exists().where(of_contact, condition).correlate(contact)

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
                return self.presence(field, wanted=test.exists)

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
