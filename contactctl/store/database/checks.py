"""Whether a store is in order: the file itself, and what must always be true of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from contactctl.domain.contacts import Status
from contactctl.domain.runs import FINAL_STATES, RunState
from contactctl.store import tables
from contactctl.store import tables as _declared  # noqa: F401  (registers the tables)
from contactctl.store.predicates import has_open, how_many, is_active
from contactctl.store.responses import KINDS_CONCERNING, runs_with_concerned
from contactctl.store.runs import runs_with_plans
from contactctl.store.types import UtcInstant

_contact = tables.contact
_deactivation = tables.deactivation
_run = tables.run
_item = tables.plan_item

_CLOCKS_DIFFER = timedelta(minutes=5)  # of several machines, a little
_STAMPS = (
    (tables.contact, ("created", "updated", "reactivated_at")),
    (tables.membership, ("added", "reactivated_at")),
    (tables.deactivation, ("started_at", "ended_at")),
    (tables.run, ("planned_at", "started_at", "finished_at")),
)
# an anonymised contact has no address
_ASTRAY_ON_SQLITE = """
    SELECT count(*) FROM contact c
    LEFT JOIN contact_email a ON a.email_key = c.email_key AND a.contact_id = c.id
    WHERE instr(c.email_key, '@') AND a.contact_id IS NULL
    UNION ALL
    SELECT count(*) FROM contact_email a LEFT JOIN contact c ON c.id = a.contact_id
    WHERE c.id IS NULL"""
# numbers that tell who has which address, in whatever order the rows come
_DIGEST = "SELECT count(*), sum(CAST(hashtextextended(email_key, {contact}) AS numeric))"
_CONTACTS_SIDE = f"{_DIGEST.format(contact='id')} FROM contact WHERE email_key LIKE '%@%'"
_ADDRESSES_SIDE = f"{_DIGEST.format(contact='contact_id')} FROM contact_email"
_STATUS_HINT = "something other than contactctl has written to this store"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: how many rows break it (0: in order), and what to do about them."""

    check: str
    broken: int
    hint: str = ""


def check_store(connection: sa.Connection, now: datetime) -> list[Finding]:
    """Run every check; `now` is the present instant."""
    return [*(check(connection) for check in _CHECKS), _no_instant_to_come(connection, now)]


def _database_is_intact(connection: sa.Connection) -> Finding:
    hint = "restore a backup; the disk or the file was damaged"
    if connection.dialect.name != "sqlite":
        return Finding("database readable", 0)
    problems = [row[0] for row in connection.execute(sa.text("PRAGMA quick_check(100)"))]
    return Finding("file intact", 0 if problems == ["ok"] else len(problems), hint)


def _active_without_reason_to_be_inactive(connection: sa.Connection) -> Finding:
    broken = how_many(connection, _contact, is_active(), has_open(_contact.c.id))
    return Finding("active contacts have no open deactivation", broken, _STATUS_HINT)


def _inactive_with_a_reason(connection: sa.Connection) -> Finding:
    is_inactive = _contact.c.status == Status.INACTIVE
    broken = how_many(connection, _contact, is_inactive, ~has_open(_contact.c.id))
    return Finding("inactive contacts have an open deactivation", broken, _STATUS_HINT)


def _of_somebody(what: str, table: sa.Table) -> Callable[[sa.Connection], Finding]:
    """What no foreign key leads to a contact."""

    def check(connection: sa.Connection) -> Finding:
        of_contact = sa.exists().where(_contact.c.id == table.c.contact_id)
        return Finding(
            f"{what} belong to contacts", how_many(connection, table, ~of_contact), _STATUS_HINT
        )

    return check


def check_addresses(connection: sa.Connection) -> Finding:
    """Whether every address leads to its contact.

    On Postgres each side is summed up by itself: the two may be on different machines.
    """
    if connection.dialect.name == "sqlite":
        broken = sum(connection.execute(sa.text(_ASTRAY_ON_SQLITE)).scalars())
    else:
        contacts, of_contacts = connection.execute(sa.text(_CONTACTS_SIDE)).one()
        addresses, of_addresses = connection.execute(sa.text(_ADDRESSES_SIDE)).one()
        broken = abs(contacts - addresses) or int(of_contacts != of_addresses)
    return Finding("every address leads to its contact", broken, _STATUS_HINT)


def _plans_belong_to_unfinished_runs(connection: sa.Connection) -> Finding:
    """What an ingest keeps there are the contacts whose thresholds are looked at after its end."""
    keeps = sa.or_(_run.c.state.not_in(FINAL_STATES), _run.c.kind.in_(KINDS_CONCERNING))
    # first the numbers: runs and plans may be on different machines
    of_these = _run.c.id.in_(runs_with_plans(connection))
    unfinished = connection.execute(sa.select(_run.c.id).where(keeps, of_these)).scalars().all()
    broken = how_many(connection, _item, _item.c.run_id.not_in(unfinished))
    return Finding("plans belong to unfinished runs", broken, "please report it as a bug")


def _runs_finished(connection: sa.Connection) -> Finding:
    running = sa.select(_run.c.id).where(_run.c.state == RunState.RUNNING)
    unfinished = {*connection.execute(running).scalars(), *runs_with_concerned(connection)}
    return Finding(
        "no run is unfinished",
        len(unfinished),
        "running right now, or interrupted: `contactctl sweep all` resumes them,"
        " `contactctl runs cancel RUN` ends an import",
    )


def _no_instant_to_come(connection: sa.Connection, now: datetime) -> Finding:
    """Of what the program stamps itself; a mail's own date may be as wrong as it likes."""
    latest = sa.literal(now + _CLOCKS_DIFFER, UtcInstant)
    broken = sum(
        how_many(connection, table, sa.or_(*(table.c[name] > latest for name in names)))
        for table, names in _STAMPS
    )
    return Finding(
        "no instant is still to come",
        broken,
        "a clock was wrong, or replaced by CONTACTCTL_NOW: until then such a reactivation keeps"
        " responses from counting; `contactctl runs list` shows whose runs they are",
    )


_CHECKS: tuple[Callable[[sa.Connection], Finding], ...] = (
    _database_is_intact,
    _active_without_reason_to_be_inactive,
    _inactive_with_a_reason,
    check_addresses,
    _of_somebody("deactivations", _deactivation),
    _of_somebody("deliveries", tables.delivery),
    _of_somebody("ids of sources", tables.external_id),
    _plans_belong_to_unfinished_runs,
    _runs_finished,
)
