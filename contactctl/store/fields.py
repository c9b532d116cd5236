"""The fields of criteria as SQL, and the columns of `contact` that hold them.

A column that has a field's name holds its value; `<name>_folded` beside it, where there is one,
the form in which it is compared. All names are in the table's order.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from contactctl.domain.criteria.fields import (
    BUILT_IN_FIELDS,
    COUNT_FIELDS,
    UNSUBSCRIBED_FIELD,
    Field,
    FieldType,
    Operator,
)
from contactctl.domain.criteria.resolve import NoneOf, OneOf, Presence, Range, Test, TextMatch
from contactctl.store import tables
from contactctl.store.predicates import Clause, counts_by_email, is_open_system_wide, is_unsubscribe
from contactctl.store.tables import contact, contact_tag, deactivation, membership, response

_FIELDS = {field.name: field for field in BUILT_IN_FIELDS}
_NAMES = tuple(column.name for column in contact.c if column.name in _FIELDS)
_IN_ANOTHER_FORM = {"email": "email_key", "reactivated": "reactivated_at"}

ADDRESS_COLUMNS = ("email", "email_key", "email_domain")
JSON_COLUMNS = ("attributes", "attributes_folded")

# what an import may give of a contact besides its address: values that may be missing, and counts
GIVEN_COLUMNS = tuple(
    name
    for name in _NAMES
    if name in COUNT_FIELDS
    or (not _FIELDS[name].always_present and contact.c[name].computed is None)
)
FOLDED_COLUMNS = frozenset(name for name in GIVEN_COLUMNS if f"{name}_folded" in contact.c)

# what a record holds by name; the rest of it has a place of its own
VALUE_COLUMNS = (
    *(name for name in _NAMES if name not in ("id", "status", *ADDRESS_COLUMNS)),
    "reactivated",
)
RECORD_COLUMNS = (
    *(contact.c[name] for name in _NAMES),
    contact.c.reactivated_at.label("reactivated"),
    contact.c.attributes,
)
SORTABLE = {column.name: column for column in RECORD_COLUMNS if column.name != "attributes"}


def sorted_by(sort: str) -> tuple[sa.ColumnElement[Any], ...]:
    """By a field of SORTABLE, `-FIELD` for descending, then by id; missing values come last.

    Text is in the order of what it is compared by, where `adler` stands before `Bus`.
    """
    column = compared_column(SORTABLE[sort.removeprefix("-")].name)
    ordered = column.desc() if sort.startswith("-") else column.asc()
    # alone, the primary key gives the order without a sort
    return (ordered,) if column.name == "id" else (ordered.nulls_last(), contact.c.id)


def compared_column(name: str) -> sa.Column[Any]:
    """What a field's value is compared by; KeyError where no column holds it."""
    compared = _IN_ANOTHER_FORM.get(name, f"{name}_folded")
    return contact.c[compared if compared in contact.c else name]


# The fields of criteria as SQL: what a contact's value is, NULL where it is missing


Value = sa.ColumnElement[Any]

# what the reference takes for a date; dates are compared as this text
_DATE_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_DATE_GLOB = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"

MemberTest = Callable[[Value], Clause]


@dataclass(frozen=True, slots=True)
class SetRows:
    """Where a set's members are: rows with a `contact_id`, of which `condition` holds.

    `has_member` turns a test of the folded member into a condition on the rows.
    """

    contact_id: Value
    condition: Clause
    has_member: Callable[[MemberTest], Clause]


def set_rows(field: Field, dialect: str) -> SetRows:
    """The rows that hold a set field's members."""
    column: Value
    match field.name:
        case "tag":
            tag = contact_tag.c
            return SetRows(tag.contact_id, sa.true(), lambda test: test(tag.tag_folded))
        case "group":
            test_group = partial(_is_in_groups, dialect, membership.c.group_id)
            return SetRows(membership.c.contact_id, sa.true(), test_group)
        case "unsubscribed_from":
            of_group = sa.and_(is_unsubscribe(), response.c.group_id != tables.SYSTEM_WIDE)
            test_group = partial(_is_in_groups, dialect, response.c.group_id)
            return SetRows(response.c.contact_id, of_group, test_group)
        case "responses_not_counted":
            reason = response.c.not_counted
            return SetRows(response.c.contact_id, reason != "", lambda test: test(reason))
        case "deactivation_origin":
            column, condition = deactivation.c.origin, is_open_system_wide()
        case "deactivation_run":
            column, condition = sa.cast(deactivation.c.run_id, sa.Text), is_open_system_wide()
        case _:
            column = deactivation.c.category
            condition = sa.and_(is_open_system_wide(), column != "")
    return SetRows(deactivation.c.contact_id, condition, lambda test: test(column))


def _is_in_groups(dialect: str, group_id: Value, test: MemberTest) -> Clause:
    """The groups' numbers are looked up once; as an array, so that Postgres uses the key."""
    group_ids = sa.select(tables.group.c.id).where(test(tables.group.c.name_folded))
    if dialect == "sqlite":
        return group_id.in_(group_ids)
    return group_id == sa.any_(sa.func.array(group_ids.scalar_subquery()))


@dataclass(frozen=True, slots=True)
class SummedUp:
    """Rows of a `contact_id`, of which `condition` holds, and the `value` of all those together."""

    contact_id: Value
    condition: Clause
    value: Value

    @property
    def contact_ids(self) -> sa.Select[int]:
        """The contacts that have such rows, grouped, so that HAVING can ask for the value."""
        return sa.select(self.contact_id).where(self.condition).group_by(self.contact_id)


def summed_up(field: Field) -> SummedUp | None:
    """The rows that a field's value is summed up from; None where a contact's own row has it."""
    if field.name == "deactivated":
        latest = sa.func.max(deactivation.c.started_at)
        return SummedUp(deactivation.c.contact_id, is_open_system_wide(), latest)
    if field.name == UNSUBSCRIBED_FIELD:
        latest = sa.func.max(response.c.occurred_at)
        return SummedUp(response.c.contact_id, is_unsubscribe(), latest)
    if field.response_category is not None:
        counted = sa.and_(response.c.category == field.response_category, counts_by_email())
        number = sa.type_coerce(sa.func.count(), sa.BigInteger())
        return SummedUp(response.c.contact_id, counted, number)
    return None


def field_value(field: Field, dialect: str) -> Value:
    """The value of a field that is neither a set nor summed up, in the form that is compared."""
    if field.attribute is not None:
        attributes = _SqliteAttributes if dialect == "sqlite" else _PostgresAttributes
        return attributes(field.attribute).value(field.type)
    return compared_column(field.name)


def written_value(field: Field, dialect: str) -> Value:
    """A text's or choice's value as it was written, where `field_value` is the form compared."""
    if field.attribute is None:
        return contact.c[field.name]
    attributes = _SqliteAttributes if dialect == "sqlite" else _PostgresAttributes
    return attributes(field.attribute).written()


class _SqliteAttributes:
    def __init__(self, name: str) -> None:
        self._path = f'$."{name}"'

    def value(self, declared: FieldType) -> Value:
        json_type, raw = self._read("json_type"), self._read("json_extract")
        match declared:
            case FieldType.NUMBER:
                is_number = json_type.in_(("integer", "real"))
                return sa.type_coerce(sa.case((is_number, raw)), sa.Double())
            case FieldType.BOOLEAN:
                truth = sa.case({"true": sa.true(), "false": sa.false()}, value=json_type)
                return sa.type_coerce(truth, sa.Boolean())
            case FieldType.DATE:
                return sa.type_coerce(
                    sa.case((sa.and_(json_type == "text", _is_date_sqlite(raw)), raw)), sa.Text()
                )
            case _:
                # texts are among the folded ones: one document is read, not two
                folded = contact.c.attributes_folded
                is_text = self._read("json_type", folded) == "text"
                return sa.case((is_text, self._read("json_extract", folded)))

    def written(self) -> Value:
        return self._read("json_extract")

    def _read(self, function: str, document: Value = contact.c.attributes) -> Value:
        read: Value = getattr(sa.func, function)(document, self._path, type_=sa.Text())
        return read


def _is_date_sqlite(raw: Value) -> Clause:
    month, day = sa.func.substr(raw, 6, 2), sa.func.substr(raw, 9, 2)
    return sa.and_(raw.op("GLOB")(_DATE_GLOB), month.between("01", "12"), day.between("01", "31"))


class _PostgresAttributes:
    def __init__(self, name: str) -> None:
        self._name = name

    def value(self, declared: FieldType) -> Value:
        raw = sa.func.jsonb_extract_path(contact.c.attributes, self._name)
        kind, text = sa.func.jsonb_typeof(raw), self._text(contact.c.attributes)
        match declared:
            case FieldType.NUMBER:
                return sa.case((kind == "number", sa.cast(raw, sa.Numeric())))
            case FieldType.BOOLEAN:
                return sa.case((kind == "boolean", sa.cast(raw, sa.Boolean())))
            case FieldType.DATE:
                is_date = sa.and_(kind == "string", text.op("~")(_DATE_PATTERN))
                return sa.case((is_date, text)).collate("C")
            case _:
                return sa.case((kind == "string", self._text(contact.c.attributes_folded)))

    def written(self) -> Value:
        return self._text(contact.c.attributes)

    def _text(self, column: Value) -> Value:
        return sa.func.jsonb_extract_path_text(column, self._name, type_=sa.Text())


# Tests of one value as SQL; every value that is compared with is bound


def passes(value: Value, test: Test, dialect: str) -> Clause:
    """True where the value passes the test; false or NULL where it does not, or is missing."""
    match test:
        case OneOf(wanted):
            return is_one_of(value, wanted, dialect)
        case NoneOf(unwanted):
            return sa.not_(is_one_of(value, unwanted, dialect))
        case TextMatch():
            return _has_text(value, test, dialect)
        case Range():
            return _lies_within(value, test, dialect)
        case Presence(exists):
            return value.is_not(None) if exists else value.is_(None)


def is_one_of(value: Value, values: Collection[Any], dialect: str) -> Clause:
    """One bound parameter, however many values: databases limit their number."""
    bindable = [_bindable(value, each, dialect) for each in values]
    if len(bindable) == 1:
        is_equal: Clause = value == bindable[0]
        return is_equal
    if dialect == "sqlite":
        listed = sa.func.json_each(json.dumps(bindable)).table_valued("value")
        return value.in_(sa.select(listed.c.value))
    return value == sa.any_(sa.literal(bindable, sa.ARRAY(value.type)))


def _lies_within(value: Value, test: Range, dialect: str) -> Clause:
    bounds = []
    if test.lower is not None:
        lower = _bindable(value, test.lower, dialect)
        bounds.append(value >= lower if test.lower_included else value > lower)
    if test.upper is not None:
        upper = _bindable(value, test.upper, dialect)
        bounds.append(value <= upper if test.upper_included else value < upper)
    return sa.and_(*bounds)


def _bindable(value: Value, compared: Any, dialect: str) -> Any:
    """What the value is compared with, in a form that keeps the database from converting it.

    Dates in attributes are ISO text, which sorts as dates do. Next to a double, Postgres would
    make doubles of an attribute's numbers, and fail where one does not fit.
    """
    if isinstance(compared, date) and isinstance(value.type, sa.Text):
        return compared.isoformat()
    if isinstance(value.type, sa.Numeric) and dialect != "sqlite":
        return Decimal(repr(compared))
    return compared


def _has_text(value: Value, test: TextMatch, dialect: str) -> Clause:
    """Literally: no LIKE, so % _ and \\ mean themselves."""
    text, length = test.text, len(test.text)
    on_sqlite = dialect == "sqlite"
    match test.operator:
        case Operator.STARTS_WITH:
            return sa.func.substr(value, 1, length) == text
        case Operator.ENDS_WITH:
            tail = sa.func.substr(value, -length) if on_sqlite else sa.func.right(value, length)
            return tail == text
        case _:
            position: Value = (sa.func.instr if on_sqlite else sa.func.strpos)(value, text)
            return position > 0
