"""Who is left out for a missing value: active contacts that a value could have let in."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, func, select

from contactctl.domain.conditions import Condition
from contactctl.domain.criteria import Criteria
from contactctl.domain.fields import Field, FieldType
from contactctl.domain.operators import Operator
from contactctl.domain.resolve import ResolvedCriteria
from contactctl.store.criteria_sql import Compiler, active_where
from contactctl.store.predicates import Clause
from contactctl.store.tables import contact

_PRESENCE = (Operator.MISSING, Operator.EXISTS)


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


def fields_that_leave_out(criteria: Criteria) -> list[Field]:
    """The fields whose missing values can leave contacts out, in the order written."""
    fields = {c.field: None for c in _wanted(criteria) if not c.field.always_present}
    return list(fields)


def left_out_clause(resolved: ResolvedCriteria, field: Field, dialect: str) -> Clause:
    """The active contacts left out because the field is missing.

    They do not match, and would if missing values satisfied the conditions under `all` and `any`.
    """
    compiler = Compiler(resolved.tests, dialect, missing=field)
    return active_where(
        and_(
            compiler.presence(field, wanted=False),
            compiler.clause(_letting_missing_pass(resolved.criteria)),
            compiler.complement(resolved.criteria),
        )
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
