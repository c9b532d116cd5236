"""Groups: a contact's place in them, and changes of whole ones; every change is a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any, TypeVar

from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.groups import GroupSummary, format_group_settings, parse_group_settings
from contactctl.domain.name_cells import parse_group_name
from contactctl.domain.policies import GroupPolicy, Scope, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import GroupsRun, RemoveFromGroupRun
from contactctl.domain.runs import Confirmation, Run, RunKind
from contactctl.domain.text import counted, fold, show_safely
from contactctl.operations.criteria import Selection
from contactctl.operations.plans import Affected, affected, write_confirmed_plan
from contactctl.operations.session import Session
from contactctl.store import groups
from contactctl.store.contacts import contact_named, group_named, is_anonymised
from contactctl.store.database.locks import change_one_by_one, taking_turn
from contactctl.store.groups import list_groups as read_groups
from contactctl.store.plans import plan_of
from contactctl.store.runs import insert_done_run
from contactctl.store.unsubscribes import who_left


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a change of groups did; `run` is None when everything was so already. `had_left`: the
    person, who is a member again, had left the group by an unsubscribe."""

    group: str
    run: int | None
    contact: int | None = None
    had_left: bool = False

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
        return groups.group_names(connection)


def create_group(session: Session, name: str, *, reason: str = "") -> GroupChange:
    """A new group; RefusedError when there is one of that name, case ignored."""
    try:
        checked = parse_group_name(name)
    except ValueError as error:
        raise UsageError(f"not a group name: {error}") from None
    request = session.request(GroupsRun("create", checked), reason=reason)
    now = session.clock()
    with taking_turn(session.store) as connection:
        existing = groups.find_group(connection, checked)
        if existing:
            raise RefusedError(
                f"there is already a group '{show_safely(existing[1])}'",
                hint="`contactctl groups list` shows the groups",
            )
        run_id = insert_done_run(connection, request, now, planned=0, changed=0)
        groups.create_groups(connection, [checked], now)
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
    with taking_turn(session.store) as connection:
        group_id, group_name = group_named(connection, group)
        contact_id = contact_named(connection, contact)
        details = GroupsRun(action, group_name, contact=contact_id)
        request = session.request(details, reason=reason)
        run_id = insert_done_run(connection, request, now)
        had_left = False
        if action == "add":
            had_left = (contact_id, group_id) in who_left(connection, [contact_id])
            if is_anonymised(connection, contact_id):
                raise RefusedError(f"contact {contact_id} was anonymised; it cannot join a group")
            changed = groups.add_member(connection, contact_id, group_id, run_id, now)
        else:
            changed = groups.remove_member(connection, contact_id, group_id, run_id, now)
        if not changed:
            connection.rollback()
            return GroupChange(group_name, None, contact_id)
    return GroupChange(group_name, run_id, contact_id, had_left)


# Groups as a whole: renamed, deleted, set, and emptied by criteria; every change is a run


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What `groups set` is told; None leaves a setting as it is. `dropped` thresholds go."""

    bypass_system_wide: bool | None = None
    deactivate: Scope | None = None
    thresholds: Mapping[Category, Threshold] | None = None
    dropped: Sequence[Category] = ()

    def applied_to(self, policy: GroupPolicy) -> GroupPolicy:
        """The policy with these changes."""
        thresholds = {**policy.thresholds, **(self.thresholds or {})}
        return replace(
            policy,
            bypass_system_wide=_changed(self.bypass_system_wide, policy.bypass_system_wide),
            deactivate=_changed(self.deactivate, policy.deactivate),
            thresholds={c: t for c, t in thresholds.items() if c not in self.dropped},
        )


@dataclass(frozen=True, slots=True)
class GroupPolicyInForce:
    """A group's policy, and whether the config or `groups set` says so. `run`: what changed it."""

    policy: GroupPolicy
    from_config: bool
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """A group's size, and its first members by id."""

    group: str
    total: int
    rows: Sequence[Mapping[str, Any]]


def list_members(session: Session, group: str, limit: int) -> Members:
    """The members of a group, each with status and the state of its membership."""
    with session.store.reading() as connection:
        group_id, name = group_named(connection, group)
        return Members(
            name,
            groups.count_members(connection, group_id),
            groups.first_members(connection, group_id, limit),
        )


def rename(session: Session, group: str, new_name: str, *, reason: str = "") -> tuple[str, int]:
    """Give a group another name; the name as stored, and the run."""
    try:
        checked = parse_group_name(new_name)
    except ValueError as error:
        raise UsageError(f"not a group name: {error}") from None
    with taking_turn(session.store) as connection:
        group_id, old_name = group_named(connection, group)
        holder = groups.find_group(connection, checked)
        if holder is not None and holder[0] != group_id:
            raise RefusedError(f"there is already a group '{show_safely(holder[1])}'")
        request = session.request(GroupsRun("rename", old_name, to=checked), reason=reason)
        run_id = insert_done_run(connection, request, session.clock())
        groups.rename_group(connection, group_id, checked)
    return checked, run_id


def delete(session: Session, group: str, *, reason: str = "") -> tuple[str, int]:
    """Delete a group without members; RefusedError for one that has some."""
    with taking_turn(session.store) as connection:
        change_one_by_one(connection)
        group_id, name = group_named(connection, group)
        if members := groups.count_members(connection, group_id):
            raise RefusedError(
                f"'{show_safely(name)}' has {counted(members, 'member')}",
                hint=f"`contactctl groups remove {quote(show_safely(name))} --where 'id exists'`"
                " removes them, after showing how many",
                code="has-members",
            )
        request = session.request(GroupsRun("delete", name), reason=reason)
        run_id = insert_done_run(connection, request, session.clock())
        groups.delete_group(connection, group_id)
    return name, run_id


def read_policy(session: Session, group: str) -> GroupPolicyInForce:
    """A group's policy as it holds now."""
    with session.store.reading() as connection:
        group_id, name = group_named(connection, group)
        settings = groups.group_settings(connection, group_id)
    configured = session.settings.responses.groups.get(fold(name))
    if configured is not None:
        return GroupPolicyInForce(configured, from_config=True)
    return GroupPolicyInForce(parse_group_settings(name, settings), from_config=False)


def set_policy(
    session: Session, group: str, change: SettingsChange, *, reason: str = ""
) -> GroupPolicyInForce:
    """Keep other settings for a group; RefusedError where the config speaks for it."""
    with taking_turn(session.store) as connection:
        group_id, name = group_named(connection, group)
        if fold(name) in session.settings.responses.groups:
            raise RefusedError(
                f"the config names the group '{show_safely(name)}', and the config decides",
                hint="change it there; `contactctl config show` names the file",
                code="configured",
            )
        policy = change.applied_to(
            parse_group_settings(name, groups.group_settings(connection, group_id))
        )
        settings = format_group_settings(policy)
        request = session.request(GroupsRun("set", name, settings=settings), reason=reason)
        run_id = insert_done_run(connection, request, session.clock())
        groups.set_group_settings(connection, group_id, settings)
    return GroupPolicyInForce(policy, from_config=False, run=run_id)


def plan_removing(
    session: Session,
    group: str,
    selection: Selection,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the selection's members of the group, active or not; None when nothing matches."""
    group_id, name = group_of(session, group)
    where = selection.where(session.store.dialect)
    details = RemoveFromGroupRun(name, group_id, selected=selection.kept())
    return write_confirmed_plan(
        session,
        session.request(details, reason=reason),
        plan_of(groups.members_among(where, group_id), group_id=group_id),
        said,
    )


def preview_removing(session: Session, group: str, selection: Selection) -> Affected:
    """The members of the group that the selection means."""
    group_id, name = group_of(session, group)
    where = selection.where(session.store.dialect)
    members = groups.members_among(where, group_id)
    does = f"remove from the group {name}; the contacts stay"
    return affected(session, RunKind.REMOVE_FROM_GROUP, selection, members, does=does)


def _changed(new: T | None, old: T) -> T:
    return old if new is None else new
