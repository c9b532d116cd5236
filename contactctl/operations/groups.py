"""Groups, and one contact's place in them; every change is a run."""

from dataclasses import dataclass

from contactctl.domain.contact_values import parse_group_name
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.groups import GroupSummary
from contactctl.domain.run_kinds import GroupsRun
from contactctl.domain.runs import RunState
from contactctl.domain.text import show_safely
from contactctl.operations.session import Session
from contactctl.store.contacts import is_anonymised
from contactctl.store.groups import (
    add_member,
    create_groups,
    find_group,
    group_names,
    remove_member,
)
from contactctl.store.groups import list_groups as read_groups
from contactctl.store.locks import serialise
from contactctl.store.named import contact_named, group_named
from contactctl.store.runs import CONTACT_CHANGES, insert_run, update_run


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a change of groups did; `run` is None when everything was so already."""

    group: str
    run: int | None
    contact: int | None = None

    @property
    def changed(self) -> bool:
        return self.run is not None


def list_groups(session: Session) -> list[GroupSummary]:
    """Every group with its size, by name."""
    with session.store.reading() as connection:
        return read_groups(connection)


def group_of(session: Session, name: str) -> tuple[int, str]:
    """Id and name, as stored, of a group; NotFoundError where there is none."""
    with session.store.reading() as connection:
        return group_named(connection, name)


def names_of_groups(session: Session) -> list[str]:
    """The name of every group, in order."""
    with session.store.reading() as connection:
        return group_names(connection)


def create_group(session: Session, name: str, *, reason: str = "") -> GroupChange:
    """A new group; RefusedError when there is one of that name, case ignored."""
    try:
        checked = parse_group_name(name)
    except ValueError as error:
        raise UsageError(f"not a group name: {error}") from None
    request = session.request(GroupsRun("create", checked), reason=reason)
    now = session.clock()
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        existing = find_group(connection, checked)
        if existing:
            raise RefusedError(
                f"there is already a group '{show_safely(existing[1])}'",
                hint="`contactctl groups list` shows the groups",
            )
        run_id = insert_run(
            connection, request, state=RunState.DONE, identity=session.store.identity, now=now
        )
        update_run(connection, run_id, {"started_at": now, "finished_at": now})
        create_groups(connection, [checked], now)
    return GroupChange(checked, run_id)


def add_to_group(session: Session, group: str, contact: str, *, reason: str = "") -> GroupChange:
    """Make one contact, by email or id, a member; one that is a member stays as it is."""
    return _change_member(session, "add", group, contact, reason)


def remove_from_group(
    session: Session, group: str, contact: str, *, reason: str = ""
) -> GroupChange:
    """Take one contact, by email or id, out of a group; the contact itself stays."""
    return _change_member(session, "remove", group, contact, reason)


def _change_member(
    session: Session, action: str, group: str, contact: str, reason: str
) -> GroupChange:
    now = session.clock()
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        group_id, group_name = group_named(connection, group)
        contact_id = contact_named(connection, contact)
        details = GroupsRun(action, group_name, contact=contact_id)
        request = session.request(details, reason=reason)
        run_id = insert_run(
            connection, request, state=RunState.DONE, identity=session.store.identity, now=now
        )
        if action == "add":
            if is_anonymised(connection, contact_id):
                raise RefusedError(f"contact {contact_id} was anonymised; it cannot join a group")
            changed = add_member(connection, contact_id, group_id, now)
        else:
            changed = remove_member(connection, contact_id, group_id, run_id, now)
        if not changed:
            connection.rollback()
            return GroupChange(group_name, None, contact_id)
        values = {"started_at": now, "finished_at": now, "planned": 1, "changed": 1}
        update_run(connection, run_id, values)
    return GroupChange(group_name, run_id, contact_id)
