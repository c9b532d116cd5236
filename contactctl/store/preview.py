"""Counts and the first rows of a set of contacts, whether selected by criteria or planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    func,
    not_,
    select,
)

from contactctl.domain.criteria.conditions import Condition
from contactctl.domain.criteria.fields import Field, FieldType, Operator
from contactctl.domain.criteria.resolve import ResolvedCriteria, TextMatch
from contactctl.domain.criteria.tree import Criteria
from contactctl.store import tables
from contactctl.store.contacts import to_records
from contactctl.store.criteria import Compiler, active_where
from contactctl.store.fields import (
    RECORD_COLUMNS,
    field_value,
    passes,
    sorted_by,
    written_value,
)
from contactctl.store.impact import count_active
from contactctl.store.predicates import is_active, is_active_by_index

Where = ColumnElement[bool]

_contact = tables.contact


def active_ids(where: Where) -> Select[int]:
    """The ids of the active contacts that fulfil `where`."""
    return select(_contact.c.id).where(active_where(where))


def count_active_where(connection: Connection, where: Where) -> int:
    """How many active contacts fulfil `where`."""
    statement = select(func.count()).select_from(_contact).where(active_where(where))
    return int(connection.execute(statement).scalar_one())


def count_where(connection: Connection, *where: Where) -> int:
    """How many contacts, active or not, fulfil all of `where`."""
    statement = select(func.count()).select_from(_contact).where(*where)
    return int(connection.execute(statement).scalar_one())


def ids_where(where: Where) -> Select[int]:
    """Their ids."""
    return select(_contact.c.id).where(where)


def is_contact(contact_id: int) -> Where:
    """True for the one contact of that number."""
    return _contact.c.id == contact_id


def count_ids(connection: Connection, ids: Select[int]) -> int:
    """How many contacts these are."""
    return int(connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one())


def first_rows(
    connection: Connection, ids: Select[int], limit: int, sort: str = "id"
) -> list[dict[str, Any]]:
    """The first `limit` of these contacts by a field of SORTABLE, each with its value of every
    field."""
    if sort == "id":  # the index gives the first ones without reading all
        ids = ids.order_by(ids.selected_columns[0]).limit(limit)
    first = ids.subquery()
    statement = (
        select(*RECORD_COLUMNS)
        .join(first, first.c[0] == _contact.c.id)
        .order_by(*sorted_by(sort))
        .limit(limit)
    )
    rows = connection.execute(statement).mappings().all()
    return [record.by_field() for record in to_records(connection, rows)]


# How many match, and who is left out for a missing value: active contacts that a value could have
# let in


_PRESENCE = (Operator.MISSING, Operator.EXISTS)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of the `active` contacts, how many `match`, and how many each field's missing values leave
    out, by field name."""

    active: int
    match: int
    left_out: dict[str, int]


def count_matching(
    connection: Connection, resolved: ResolvedCriteria, dialect: str, *among: Where
) -> Counted:
    """Count the active contacts by what the criteria make of them.

    Only contacts `among` those that fulfil further conditions match, or are left out.
    """
    compiler = (Compiler if dialect == "sqlite" else _Beside)(resolved.tests, dialect)
    fields = fields_that_leave_out(resolved.criteria)
    wanted = [
        and_(*among, compiler.clause(resolved.criteria)),
        *(and_(*among, _is_left_out(compiler, resolved.criteria, each)) for each in fields),
    ]
    if isinstance(compiler, _Beside):
        active, matching, *left_out = connection.execute(compiler.count(wanted)).one()
    else:  # SQLite answers one by one sooner: each reads what it needs, by its own index
        active = count_active(connection)
        matching, *left_out = (count_active_where(connection, each) for each in wanted)
    return Counted(
        active, matching, {each.name: n for each, n in zip(fields, left_out, strict=True)}
    )


@dataclass(frozen=True, slots=True)
class _Beside(Compiler):
    """Conditions that Postgres asks of all contacts in one pass.

    What is in other tables is joined beside the contacts, once for all conditions that ask for it:
    below an OR, too, where it would otherwise be looked up contact by contact.
    """

    joined: list[tuple[Select[int], FromClause]] = field(default_factory=list)

    def count(self, wanted: Sequence[Where]) -> Select[Any]:
        """Select the number of active contacts, and of those that fulfil each of the conditions."""
        rows: FromClause = _contact
        for _, listed in self.joined:
            rows = rows.outerjoin(listed, listed.c[0] == _contact.c.id)
        numbers: list[Any] = [func.count(), *(func.count().filter(each) for each in wanted)]
        return select(*numbers).select_from(rows).where(is_active_by_index())

    def presence(self, field: Field, *, wanted: bool) -> Where:
        rows = self._rows(field)
        if rows is None or field.always_present:
            return Compiler.presence(self, field, wanted=wanted)
        present = self._is_among(select(rows.contact_id).where(rows.condition))
        return present if wanted else not_(present)

    def _is_among(self, *ids: Select[int]) -> Where:
        (chosen,) = ids  # several are only put together where something needs a join
        for other, listed in self.joined:
            if chosen.compare(other):
                return listed.c[0].is_not(None)
        listed = chosen.group_by(chosen.selected_columns[0]).subquery()
        self.joined.append((chosen, listed))
        return listed.c[0].is_not(None)

    def _needs_join(self, part: Condition | Criteria) -> bool:  # noqa: ARG002
        return False  # not one more


def fields_that_leave_out(criteria: Criteria) -> list[Field]:
    """The fields whose missing values can leave contacts out, in the order written."""
    fields = {c.field: None for c in _wanted(criteria) if not c.field.always_present}
    return list(fields)


def _is_left_out(compiler: Compiler, criteria: Criteria, missing: Field) -> Where:
    """The contacts left out because the field is missing.

    They do not match, and would if missing values satisfied the conditions under `all` and `any`.
    """
    without = replace(compiler, missing=missing)
    return and_(
        without.presence(missing, wanted=False),
        without.clause(_letting_missing_pass(criteria)),
        without.complement(criteria),
    )


def _letting_missing_pass(part: Condition | Criteria) -> Condition | Criteria:
    """The part with `or missing` for each condition that a missing value can fail."""
    if isinstance(part, Criteria):
        all_, any_ = (map(_letting_missing_pass, parts) for parts in (part.all, part.any))
        return Criteria(all=tuple(all_), any=tuple(any_), none=part.none)
    if not _needs_value(part) or part.field.always_present:
        return part
    return Criteria(any=(part, Condition(part.field, Operator.MISSING)))


def _wanted(part: Condition | Criteria) -> Iterator[Condition]:
    """The conditions outside `none` that a missing value can fail."""
    if isinstance(part, Criteria):
        for inner in part.all + part.any:
            yield from _wanted(inner)
    elif _needs_value(part):
        yield part


def _needs_value(condition: Condition) -> bool:
    """Not so of presence, nor of members: contacts in no group are not missing a value."""
    members = condition.operator in (Operator.EQUALS, Operator.IN)
    asks_for_members = members and condition.field.type is FieldType.SET
    return condition.operator not in _PRESENCE and not asks_for_members


# What the fields of the active contacts hold


_tag = tables.contact_tag


def frequent_values(
    connection: Connection, field: Field, searched: str, limit: int
) -> list[tuple[str, int]]:
    """The tags, or the values of a text or choice field, of active contacts, each with how many
    have it: most first, and only those that contain the folded text `searched`.
    """
    dialect = connection.dialect.name
    holders: Any
    written: ColumnElement[Any]
    compared: ColumnElement[Any]
    if field.name == "tag":
        written, compared = _tag.c.tag, _tag.c.tag_folded
        holders = _tag.join(_contact, _contact.c.id == _tag.c.contact_id)
    else:
        written, compared = written_value(field, dialect), field_value(field, dialect)
        holders = _contact
    number = func.count()
    statement = (
        select(func.min(written), number)
        .select_from(holders)
        .where(is_active(), compared.is_not(None), compared != "")
        .group_by(compared)
        .order_by(number.desc(), compared)
        .limit(limit)
    )
    if searched:
        contains = TextMatch(Operator.CONTAINS, searched)
        statement = statement.where(passes(compared, contains, dialect))
    return [(str(row[0]), int(row[1])) for row in connection.execute(statement)]
