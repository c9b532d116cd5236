"""Recorded responses: listed, held or let go, and those to addresses that no contact has."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from contactctl.domain.responses import HeldFilter, ResponseFilter
from contactctl.domain.runs import RunKind, RunState
from contactctl.domain.thresholds import DISCARDED
from contactctl.store import tables
from contactctl.store.addresses import id_of_key
from contactctl.store.fields import is_one_of
from contactctl.store.predicates import Clause, how_many, is_wish, one_number
from contactctl.store.runs import runs_with_plans
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.temporary import insert_new
from contactctl.store.thresholds.due import ContactIds
from contactctl.store.thresholds.unswept import look_again, look_again_at_plan

_contact = tables.contact
_owned = tables.contact_email
_group = tables.group
_response = tables.response
_unmatched = tables.unmatched_response

_SHARED_COLUMNS = [column.name for column in _unmatched.c if column.name in _response.c]


def adopt_unmatched(connection: sa.Connection, email_keys: Collection[str]) -> bool:
    """Give kept responses to the contacts that now have their address.

    `email_keys` are those of contacts that are new, or have just got them. What happened keeps its
    time and its run; the next sweep looks at the thresholds. Returns whether any was.
    """
    if (
        not email_keys
        or connection.execute(sa.select(_unmatched.c.run_id).limit(1)).first() is None
    ):
        return False
    is_theirs = is_one_of(_unmatched.c.email_key, email_keys, connection.dialect.name)
    columns = ["contact_id", "group_id", *_SHARED_COLUMNS]
    adopting = sa.select(_owned.c.contact_id).join(
        _unmatched, _unmatched.c.email_key == _owned.c.email_key
    )
    look_again(connection, adopting.where(is_theirs).distinct())
    # what was recorded for the contact already stays as it is
    adopted = insert_new(connection, _response, columns, _adopted().where(is_theirs))
    connection.execute(sa.delete(_unmatched).where(is_theirs))
    return adopted > 0


def unmatched_domain(dialect: str) -> sa.ColumnElement[str]:
    """The domain in the address of an unmatched response."""
    key = _unmatched.c.email_key
    if dialect == "sqlite":
        return sa.func.substr(key, sa.func.instr(key, "@") + 1, type_=sa.Text())
    return sa.func.split_part(key, "@", 2, type_=sa.Text())


def _adopted() -> sa.Select[int]:
    """As rows of `response`, of the contact that has the address."""
    return sa.select(
        _owned.c.contact_id,
        sa.func.coalesce(_group.c.id, SYSTEM_WIDE),
        *(_unmatched.c[name] for name in _SHARED_COLUMNS),
    ).select_from(
        _unmatched.join(_owned, _owned.c.email_key == _unmatched.c.email_key).outerjoin(
            _group, _group.c.name_folded == _unmatched.c.group_folded
        )
    )


# Recorded responses, to be listed


def list_responses(connection: sa.Connection, wanted: ResponseFilter) -> list[dict[str, Any]]:
    """Rows with the keys of a response, and `contact` and `email`, None where unmatched."""
    table = _unmatched if wanted.unmatched else _response
    conditions = _conditions(table, wanted)
    if wanted.email_key is not None:
        conditions.append(_is_to(connection, table, wanted.email_key))
    if wanted.domain is not None:
        dialect = connection.dialect.name
        domain = unmatched_domain(dialect) if wanted.unmatched else _contact.c.email_domain
        conditions.append(domain == wanted.domain)
    occurred_at: sa.ColumnElement[Any] = table.c.occurred_at
    if wanted.held:  # few of many: SQLite is to take their index, and not to walk through time
        occurred_at = sa.func.coalesce(occurred_at, table.c.recorded_at)
    statement = (
        (_OF_NOBODY if wanted.unmatched else _OF_CONTACTS)
        .where(*conditions)
        .order_by(occurred_at.desc(), table.c.source_key)
        .limit(wanted.limit)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def responses_of_contact(connection: sa.Connection, contact_id: int) -> list[dict[str, Any]]:
    """All responses of one contact, oldest first, with the group's id besides."""
    statement = (
        sa.select(*_listed(_response, _group.c.name), _response.c.group_id)
        .outerjoin(_group, _group.c.id == _response.c.group_id)
        .where(_response.c.contact_id == contact_id)
        .order_by(_response.c.occurred_at, _response.c.source_key)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def count_unmatched(connection: sa.Connection, email_key: str) -> int:
    """How many responses wait for a contact with this key."""
    return how_many(connection, _unmatched, _unmatched.c.email_key == email_key)


def _is_to(connection: sa.Connection, table: sa.Table, email_key: str) -> Clause:
    """Responses to the address, or of the contact that has it now."""
    if table is _unmatched:
        return table.c.email_key == email_key
    owner = id_of_key(connection, email_key)
    return sa.false() if owner is None else table.c.contact_id == owner


def _conditions(table: sa.Table, wanted: ResponseFilter | HeldFilter) -> list[Clause]:
    """What both filters may ask for, but for the domain; and what only responses are listed by."""
    conditions: list[Clause] = []
    if wanted.run_id is not None:
        conditions.append(table.c.run_id == wanted.run_id)
    if wanted.incident is not None:
        conditions.append(table.c.incident_id == wanted.incident)
    if isinstance(wanted, HeldFilter) or wanted.held:
        conditions.append(table.c.held)
    if isinstance(wanted, HeldFilter):
        return conditions
    if wanted.categories:
        conditions.append(table.c.category.in_(wanted.categories))
    if wanted.unsubscribed:
        conditions.append(is_wish(table))
    if wanted.since is not None:
        conditions.append(table.c.occurred_at >= wanted.since)
    if wanted.not_counted:
        conditions.append(~table.c.counts)
    return conditions


def _listed(table: sa.Table, group: sa.ColumnElement[str]) -> list[sa.ColumnElement[Any]]:
    names = (
        *("recipient", "category", "counts", "not_counted", "status", "diagnostic", "rule"),
        *("evidence", "through", "host", "channel", "occurred_at", "recorded_at"),
        *("source", "source_key"),
    )
    incident = sa.func.nullif(table.c.incident_id, 0).label("incident")
    columns = [table.c[name] for name in names]
    return [table.c.held, group.label("group"), *columns, incident, table.c.run_id.label("run")]


_OF_CONTACTS = (
    sa.select(_contact.c.id.label("contact"), _contact.c.email, *_listed(_response, _group.c.name))
    .join_from(_response, _contact, _contact.c.id == _response.c.contact_id)
    .outerjoin(_group, _group.c.id == _response.c.group_id)
)
_OF_NOBODY = sa.select(
    sa.null().label("contact"),
    sa.null().label("email"),
    *_listed(_unmatched, _unmatched.c.group_folded),
)


# Held responses: set aside while it is open whether they count, then released or discarded


_item = tables.plan_item
_run = tables.run

# their plan items are the contacts whose thresholds they look at when all is recorded
KINDS_CONCERNING = (RunKind.INGEST, RunKind.RELEASE)


def release_held(connection: sa.Connection, run_id: int, chosen: HeldFilter) -> int:
    """Let held responses count; the contacts concerned go into the run's plan. Returns how many."""
    concerned = (
        sa.select(_response.c.contact_id, sa.literal(run_id), sa.literal(0))
        .where(_is_chosen(_response, connection.dialect.name, chosen))
        .distinct()
    )
    connection.execute(
        sa.insert(_item).from_select(["contact_id", "run_id", "revision"], concerned)
    )
    return _decide(connection, chosen, {"held": False})


def discard_held(connection: sa.Connection, chosen: HeldFilter) -> int:
    """Held responses stay on record and never count. Returns how many."""
    return _decide(connection, chosen, {"held": False, "counts": False, "not_counted": DISCARDED})


def contacts_concerned(run_ids: Sequence[int]) -> ContactIds:
    """The contacts whose thresholds these runs have yet to look at."""
    return sa.select(_item.c.contact_id).where(_item.c.run_id.in_(run_ids)).distinct()


def count_refused(
    connection: sa.Connection, run_id: int, reasons: Collection[tuple[str, str]]
) -> int:
    """The contacts, of those whose thresholds a run has yet to look at, to whom it has recorded
    refusals of the sender of one of these (rule, status)."""
    said = [f"{rule} {status}" for rule, status in reasons]
    statement = (
        sa.select(sa.func.count(_response.c.contact_id.distinct()))
        .join(_item, _item.c.contact_id == _response.c.contact_id)
        .where(
            _item.c.run_id == run_id,
            _response.c.run_id == run_id,
            _response.c.not_counted == "sender-side",
            is_one_of(_response.c.rule + " " + _response.c.status, said, connection.dialect.name),
        )
    )
    return one_number(connection, statement)


def runs_with_concerned(connection: sa.Connection) -> list[int]:
    """The runs that ended before they had looked at the thresholds of all contacts concerned.

    Among them those that still say `running`, though they may have recorded nothing yet: who asks
    holds their lock, so their process has died.
    """
    kinds = _run.c.kind.in_(KINDS_CONCERNING)
    # first the numbers: runs and plans may be on different machines
    has_items = _run.c.id.in_(runs_with_plans(connection))
    unjudged = sa.or_(has_items, _run.c.state == RunState.RUNNING)
    return sorted(connection.execute(sa.select(_run.c.id).where(kinds, unjudged)).scalars())


def hand_over_concerned(connection: sa.Connection, run_ids: Sequence[int]) -> None:
    """Leave the thresholds of these runs' contacts to the next sweep."""
    for run_id in run_ids:
        look_again_at_plan(connection, run_id)
    forget_concerned(connection, run_ids)


def forget_concerned(connection: sa.Connection, run_ids: Sequence[int]) -> None:
    """The thresholds of these runs' contacts have been looked at."""
    connection.execute(sa.delete(_item).where(_item.c.run_id.in_(run_ids)))


def incidents_of(connection: sa.Connection, chosen: HeldFilter) -> list[int]:
    """The numbers of the incidents that the chosen responses are held in."""
    dialect = connection.dialect.name
    numbers, of_nobody = (
        sa.select(table.c.incident_id).where(_is_chosen(table, dialect, chosen))
        for table in (_response, _unmatched)
    )
    found = connection.execute(numbers.union(of_nobody)).scalars()
    return sorted(number for number in found if number)


def _decide(connection: sa.Connection, chosen: HeldFilter, values: Mapping[str, object]) -> int:
    """Decide about held responses, those of nobody included; returns how many there were.

    Each keeps a number of an incident, 0 where there is none: no other holds it again.
    """
    return sum(
        connection.execute(
            sa.update(table)
            .where(_is_chosen(table, connection.dialect.name, chosen))
            .values(**values, incident_id=sa.func.coalesce(table.c.incident_id, 0))
        ).rowcount
        for table in (_response, _unmatched)
    )


def _is_chosen(table: sa.Table, dialect: str, chosen: HeldFilter) -> Clause:
    conditions = _conditions(table, chosen)
    if chosen.domain is not None and table is _unmatched:
        conditions.append(unmatched_domain(dialect) == chosen.domain)
    elif chosen.domain is not None:
        of_domain = sa.exists().where(
            _contact.c.id == table.c.contact_id, _contact.c.email_domain == chosen.domain
        )
        conditions.append(of_domain)
    return sa.and_(*conditions)
