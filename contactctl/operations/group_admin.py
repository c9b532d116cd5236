"""Groups as a whole: renamed, deleted, set, and emptied by criteria; every change is a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from contactctl.domain.confirmation import Confirmation
from contactctl.domain.contact_values import parse_group_name
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.group_settings import format_group_settings, parse_group_settings
from contactctl.domain.policies import GroupPolicy, Scope, Threshold
from contactctl.domain.responses import Category
from contactctl.domain.run_kinds import GroupsRun, RemoveFromGroupRun
from contactctl.domain.runs import Run, RunKind
from contactctl.domain.text import fold, show_safely
from contactctl.operations.affected import Affected, affected
from contactctl.operations.groups import group_of
from contactctl.operations.plans import write_confirmed_plan
from contactctl.operations.select import Selection
from contactctl.operations.session import Session
from contactctl.store.criteria_sql import where_clause
from contactctl.store.group_admin import (
    count_members,
    delete_group,
    first_members,
    group_settings,
    members_among,
    plan_removal,
    rename_group,
    set_group_settings,
)
from contactctl.store.groups import find_group
from contactctl.store.locks import serialise
from contactctl.store.named import group_named
from contactctl.store.runs import CONTACT_CHANGES, insert_done_run

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
            name, count_members(connection, group_id), first_members(connection, group_id, limit)
        )


def rename(session: Session, group: str, new_name: str, *, reason: str = "") -> tuple[str, int]:
    """Give a group another name; the name as stored, and the run."""
    try:
        checked = parse_group_name(new_name)
    except ValueError as error:
        raise UsageError(f"not a group name: {error}") from None
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        group_id, old_name = group_named(connection, group)
        holder = find_group(connection, checked)
        if holder is not None and holder[0] != group_id:
            raise RefusedError(f"there is already a group '{show_safely(holder[1])}'")
        run_id = insert_done_run(
            connection,
            session.request(GroupsRun("rename", old_name, to=checked), reason=reason),
            identity=session.store.identity,
            now=session.clock(),
        )
        rename_group(connection, group_id, checked)
    return checked, run_id


def delete(session: Session, group: str, *, reason: str = "") -> tuple[str, int]:
    """Delete a group without members; RefusedError for one that has some."""
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        group_id, name = group_named(connection, group)
        if members := count_members(connection, group_id):
            raise RefusedError(
                f"'{show_safely(name)}' has {members:,} members",
                hint=f"`contactctl groups remove {show_safely(name)} --where 'id exists'` removes"
                " them, after showing how many",
                code="has-members",
            )
        run_id = insert_done_run(
            connection,
            session.request(GroupsRun("delete", name), reason=reason),
            identity=session.store.identity,
            now=session.clock(),
        )
        delete_group(connection, group_id)
    return name, run_id


def read_policy(session: Session, group: str) -> GroupPolicyInForce:
    """A group's policy as it holds now."""
    with session.store.reading() as connection:
        group_id, name = group_named(connection, group)
        settings = group_settings(connection, group_id)
    configured = session.settings.responses.groups.get(fold(name))
    if configured is not None:
        return GroupPolicyInForce(configured, from_config=True)
    return GroupPolicyInForce(parse_group_settings(name, settings), from_config=False)


def set_policy(
    session: Session, group: str, change: SettingsChange, *, reason: str = ""
) -> GroupPolicyInForce:
    """Keep other settings for a group; RefusedError where the config speaks for it."""
    with session.store.writing() as connection:
        serialise(connection, CONTACT_CHANGES)
        group_id, name = group_named(connection, group)
        if fold(name) in session.settings.responses.groups:
            raise RefusedError(
                f"the config names the group '{show_safely(name)}', and the config decides",
                hint="change it there; `contactctl config show` names the file",
                code="configured",
            )
        policy = change.applied_to(parse_group_settings(name, group_settings(connection, group_id)))
        settings = format_group_settings(policy)
        run_id = insert_done_run(
            connection,
            session.request(GroupsRun("set", name, settings=settings), reason=reason),
            identity=session.store.identity,
            now=session.clock(),
        )
        set_group_settings(connection, group_id, settings)
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
    where = where_clause(selection.resolved, session.store.dialect)
    details = RemoveFromGroupRun(name, group_id, selected=selection.kept())
    return write_confirmed_plan(
        session,
        session.request(details, reason=reason),
        lambda connection, run_id: plan_removal(connection, run_id, where, group_id),
        said,
    )


def preview_removing(session: Session, group: str, selection: Selection) -> Affected:
    """The members of the group that the selection means."""
    group_id, _ = group_of(session, group)
    where = where_clause(selection.resolved, session.store.dialect)
    members = members_among(where, group_id)
    return affected(session, RunKind.REMOVE_FROM_GROUP, selection, members)


def _changed(new: T | None, old: T) -> T:
    return old if new is None else new
