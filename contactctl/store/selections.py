"""A set of contacts, selected by criteria or planned: counted, its first rows, or all of them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from contactctl.domain.contacts import ContactRecord, MembershipState
from contactctl.domain.criteria.conditions import Condition
from contactctl.domain.criteria.fields import Field, FieldType, Operator
from contactctl.domain.criteria.resolve import ResolvedCriteria, TextMatch
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.runs import RunKind, RunState
from contactctl.store import tables
from contactctl.store.contacts import to_records
from contactctl.store.criteria import Compiler, Nearby, active_where
from contactctl.store.fields import (
    RECORD_COLUMNS,
    field_value,
    is_one_of,
    passes,
    sorted_by,
    written_value,
)
from contactctl.store.impact import count_active
from contactctl.store.predicates import (
    how_many,
    is_active,
    is_active_by_index,
    unsubscribed_from_all,
)
from contactctl.store.temporary import temporary_tables

_contact = tables.contact
_item = tables.plan_item
_membership = tables.membership
_run = tables.run
_tag = tables.contact_tag

Where = sa.ColumnElement[bool]


def active_ids(where: Where) -> sa.Select[int]:
    """The ids of the active contacts that fulfil `where`."""
    return sa.select(_contact.c.id).where(active_where(where))


def count_active_where(connection: sa.Connection, where: Where) -> int:
    """How many active contacts fulfil `where`."""
    return how_many(connection, _contact, active_where(where))


def count_where(connection: sa.Connection, *where: Where) -> int:
    """How many contacts, active or not, fulfil all of `where`."""
    return how_many(connection, _contact, *where)


def ids_where(where: Where) -> sa.Select[int]:
    """Their ids."""
    return sa.select(_contact.c.id).where(where)


def is_contact(contact_id: int) -> Where:
    """True for the one contact of that number."""
    return _contact.c.id == contact_id


def count_ids(connection: sa.Connection, ids: sa.Select[int]) -> int:
    """How many contacts these are."""
    return how_many(connection, ids.subquery())


def first_rows(
    connection: sa.Connection, ids: sa.Select[int], limit: int, sort: str = "id"
) -> list[dict[str, Any]]:
    """The first `limit` of these contacts by a field of SORTABLE, each with its value of every
    field."""
    if sort == "id":  # the index gives the first ones without reading all
        ids = ids.order_by(ids.selected_columns[0]).limit(limit)
    first = ids.subquery()
    statement = (
        sa.select(*RECORD_COLUMNS)
        .join(first, first.c[0] == _contact.c.id)
        .order_by(*sorted_by(sort))
        .limit(limit)
    )
    rows = connection.execute(statement).mappings().all()
    return [record.by_field() for record in to_records(connection, rows)]


_NEAR = 20_000


def first_matching(
    connection: sa.Connection,
    ids: sa.Select[int],
    limit: int,
    sort: str,
    resolved: ResolvedCriteria,
    *among: Where,
) -> list[dict[str, Any]]:
    """The first rows of the active contacts `ids`, which are those that meet the criteria.

    Databases make lists of all that other tables hold before they give the first row. So they are
    first asked for the contacts with the lowest ids alone: most often there are enough among them.
    """
    if sort == "id":
        lowest = connection.execute(sa.select(sa.func.min(_contact.c.id))).scalar() or 0
        nearby = Nearby(resolved.tests, connection.dialect.name, below=lowest + _NEAR)
        meets = nearby.clause(resolved.criteria)
        near = active_ids(sa.and_(_contact.c.id < nearby.below, *among, meets))
        rows = first_rows(connection, near, limit)
        if len(rows) == limit:
            return rows
    return first_rows(connection, ids, limit, sort)


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
    connection: sa.Connection,
    resolved: ResolvedCriteria,
    *among: Where,
    match: int | None = None,
) -> Counted:
    """Count the active contacts by what the criteria make of them.

    Only contacts `among` those that fulfil further conditions match, or are left out. `match` is
    how many do, where that is known.
    """
    dialect = connection.dialect.name
    if match is not None:
        left_out = count_left_out(connection, resolved, *among)
        return Counted(count_active(connection), match, left_out)
    fields = fields_that_leave_out(resolved.criteria)
    if dialect == "sqlite":  # it answers one by one sooner: each by its own index
        matching = sa.and_(*among, Compiler(resolved.tests, dialect).clause(resolved.criteria))
        match = count_active_where(connection, matching)
        return count_matching(connection, resolved, *among, match=match)
    beside = _Beside(resolved.tests, dialect)
    wanted = [
        sa.and_(*among, beside.clause(resolved.criteria)),
        *(sa.and_(*among, _is_left_out(beside, resolved.criteria, each)) for each in fields),
    ]
    active, match, *left_out_numbers = connection.execute(beside.count(wanted)).one()
    return Counted(active, match, _by_name(fields, left_out_numbers))


@contextmanager
def found_matching(
    connection: sa.Connection, resolved: ResolvedCriteria, *among: Where, once: bool
) -> Iterator[tuple[sa.Select[int], int | None]]:
    """The ids of the contacts that `count_matching` counts as a match; how many, where known.

    SQLite finds them `once`, where that is wanted, into a table of this connection. Postgres makes
    none in a transaction that only reads, and finds them again for each question.
    """
    compiler = _compiler(connection, resolved)
    where = sa.and_(*among, compiler.clause(resolved.criteria))
    ids = compiler.ids(where) if isinstance(compiler, _Beside) else active_ids(where)
    if not once or connection.dialect.name != "sqlite":
        yield ids, None
        return
    with temporary_tables(connection, {_listed.name: "id INTEGER PRIMARY KEY"}):
        found = sa.insert(_listed).from_select(["id"], ids.order_by(_contact.c.id))
        match = connection.execute(found).rowcount
        yield sa.select(_listed.c.id), match


_listed = sa.table("listed_contact", sa.column("id", sa.BigInteger))


def _compiler(connection: sa.Connection, resolved: ResolvedCriteria) -> Compiler:
    dialect = connection.dialect.name
    return (Compiler if dialect == "sqlite" else _Beside)(resolved.tests, dialect)


def count_left_out(
    connection: sa.Connection, resolved: ResolvedCriteria, *among: Where
) -> dict[str, int]:
    """The `left_out` of `count_matching` alone."""
    fields = fields_that_leave_out(resolved.criteria)
    compiler = _compiler(connection, resolved)
    wanted = [sa.and_(*among, _is_left_out(compiler, resolved.criteria, each)) for each in fields]
    if isinstance(compiler, _Beside) and wanted:
        _, *numbers = connection.execute(compiler.count(wanted)).one()
    else:
        numbers = [count_active_where(connection, each) for each in wanted]
    return _by_name(fields, numbers)


def _by_name(fields: Sequence[Field], numbers: Sequence[int]) -> dict[str, int]:
    return {each.name: number for each, number in zip(fields, numbers, strict=True)}


@dataclass(frozen=True, slots=True)
class _Beside(Compiler):
    """Conditions that Postgres asks of all contacts in one pass.

    What is in other tables is joined beside the contacts, once for all conditions that ask for it:
    below an OR, too, where it would otherwise be looked up contact by contact.
    """

    joined: list[tuple[sa.Select[int], sa.FromClause]] = field(default_factory=list)

    def count(self, wanted: Sequence[Where]) -> sa.Select[Any]:
        """Select the number of active contacts, and of those that fulfil each of the conditions."""
        numbers: list[Any] = [sa.func.count(), *(sa.func.count().filter(each) for each in wanted)]
        return sa.select(*numbers).select_from(self._rows_beside()).where(is_active_by_index())

    def ids(self, wanted: Where) -> sa.Select[int]:
        """The ids of the active contacts that fulfil the condition."""
        found = sa.select(_contact.c.id).select_from(self._rows_beside())
        return found.where(is_active_by_index(), wanted)

    def _rows_beside(self) -> sa.FromClause:
        rows: sa.FromClause = _contact
        for _, listed in self.joined:
            rows = rows.outerjoin(listed, listed.c[0] == _contact.c.id)
        return rows

    def presence(self, field: Field, *, wanted: bool) -> Where:
        rows = self._rows(field)
        if rows is None or field.always_present:
            return Compiler.presence(self, field, wanted=wanted)
        present = self._is_among(sa.select(rows.contact_id).where(rows.condition))
        return present if wanted else sa.not_(present)

    def _is_among(self, *ids: sa.Select[int]) -> Where:
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
    is_missing = without.presence(missing, wanted=False)
    would_match = without.clause(_letting_missing_pass(criteria))
    # a document is read only of those whom nothing else keeps out
    asked = (would_match, is_missing) if missing.attribute else (is_missing, would_match)
    return sa.and_(*asked, without.complement(criteria))


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


def frequent_values(
    connection: sa.Connection, field: Field, searched: str, limit: int
) -> list[tuple[str, int]]:
    """The tags, or the values of a text or choice field, of active contacts, each with how many
    have it: most first, and only those that contain the folded text `searched`.
    """
    dialect = connection.dialect.name
    holders: Any
    written: sa.ColumnElement[Any]
    compared: sa.ColumnElement[Any]
    if field.name == "tag":
        written, compared = _tag.c.tag, _tag.c.tag_folded
        holders = _tag.join(_contact, _contact.c.id == _tag.c.contact_id)
    else:
        written, compared = written_value(field, dialect), field_value(field, dialect)
        holders = _contact
    number = sa.func.count()
    statement = (
        sa.select(sa.func.min(written), number)
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


_CHUNK = 1000  # in memory at once


def stream_contacts(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    sort: str = "id",
    limit: int | None = None,
    fields: Collection[str] | None = None,
) -> Iterator[ContactRecord]:
    """The contacts that fulfil all conditions, sorted by a field of SORTABLE
    (`-FIELD`: descending), then by id.

    The transaction must stay open until the last one is taken. Missing values sort last. With
    `fields`, only these need to be there.

    All numbers first, then what belongs to each page of them: a database that sorts, or gathers
    from several machines, does so with numbers alone.
    """
    ordered = sa.select(_contact.c.id).where(*conditions).order_by(*sorted_by(sort)).limit(limit)
    streamed = connection.execution_options(stream_results=True, yield_per=_CHUNK)
    for ids in streamed.execute(ordered).scalars().partitions():
        of_page = is_one_of(_contact.c.id, ids, connection.dialect.name)
        rows = connection.execute(sa.select(*RECORD_COLUMNS).where(of_page)).mappings()
        found = {row["id"]: row for row in rows}
        # on a cluster a contact can be deleted meanwhile
        yield from to_records(connection, [found[each] for each in ids if each in found], fields)


def deliverable() -> sa.ColumnElement[bool]:
    """Contacts that a campaign to everybody may mail."""
    return is_active()


def not_waiting() -> sa.ColumnElement[bool]:
    """Contacts that no plan of thresholds holds, which waits to be confirmed."""
    waiting = sa.select(_run.c.id).where(
        _run.c.kind == RunKind.THRESHOLDS, _run.c.state == RunState.PLANNED
    )
    return ~sa.exists().where(_item.c.contact_id == _contact.c.id, _item.c.run_id.in_(waiting))


def deliverable_in(group_id: int, *, bypass_system_wide: bool) -> sa.ColumnElement[bool]:
    """Members that a campaign to one group may mail.

    An override (`active`) always, one deactivated here (`inactive`) never; those that follow when
    their contact is active, or when the group bypasses system-wide deactivation: but for those that
    unsubscribed from all mail, which no group bypasses.
    """
    follows = _membership.c.state == MembershipState.FOLLOWS
    unsubscribed = unsubscribed_from_all(_membership.c.contact_id)
    is_mailed = ~unsubscribed if bypass_system_wide else deliverable()
    allowed = sa.and_(follows, is_mailed)
    return sa.exists().where(
        _membership.c.contact_id == _contact.c.id,
        _membership.c.group_id == group_id,
        sa.or_(_membership.c.state == MembershipState.ACTIVE, allowed),
    )
