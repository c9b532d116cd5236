"""Bringing contacts back: one, system-wide or in one group; or all that a run deactivated."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Any

from contactctl.domain.changes import ChangeKind
from contactctl.domain.contacts import MembershipState, Origin, Status
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.handling import RECOMMENDED, ContactStanding, Reason
from contactctl.domain.responses import UNSUBSCRIBED, Category
from contactctl.domain.run_kinds import ReactivateRun, UndoRun
from contactctl.domain.runs import Confirmation, Run, RunKind, RunState, Stakes
from contactctl.domain.text import show_safely
from contactctl.operations.contacts import ended_reasons, standing_of
from contactctl.operations.criteria import PREVIEW_ROWS, Impact, impact_of
from contactctl.operations.groups import group_of
from contactctl.operations.plans import stakes_of_plan, write_confirmed_plan
from contactctl.operations.response_policy import bypassing_groups
from contactctl.operations.runs import read_run
from contactctl.operations.session import Session
from contactctl.store.changes import note_change
from contactctl.store.database.locks import taking_turn
from contactctl.store.deactivations import (
    end_reasons,
    require_as_shown,
    set_active,
    set_membership,
)
from contactctl.store.impact import count_active
from contactctl.store.plans import PlanFigures
from contactctl.store.runs import begin_one, finish_one
from contactctl.store.selections import count_ids, first_rows
from contactctl.store.tables import SYSTEM_WIDE
from contactctl.store.undo import plan_undo, regains_of_undo, undoable_ids

MEANING: Mapping[str, str] = {
    Category.SPAM_COMPLAINT: "the recipient called your mail spam: mailing again may break the law"
    " and harms your reputation with every mailbox provider",
    UNSUBSCRIBED: "the recipient asked for no more mails: mailing again breaks the law in most"
    " countries, unless the recipient has asked for it",
    Category.INVALID_ADDRESS: "the mailbox does not exist: the next mail bounces again, and bounces"
    " to such addresses harm your reputation",
}


class Acknowledgement(StrEnum):
    """What needs more than the email typed."""

    SPAM_COMPLAINT = Category.SPAM_COMPLAINT.value
    INVALID_ADDRESS = Category.INVALID_ADDRESS.value
    UNSUBSCRIBED = UNSUBSCRIBED


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reactivated: the contact as it was read, and the group (None: everywhere).

    `clears`: the override in the group is taken back.
    """

    contact: ContactStanding
    group_id: int = SYSTEM_WIDE
    group: str | None = None
    clears: bool = False

    @property
    def ending(self) -> Sequence[Reason]:
        """The deactivations that end."""
        return () if self.clears else self.contact.reasons_in(self.group_id)

    @property
    def membership_after(self) -> MembershipState | None:
        """The state that the group's membership gets; None system-wide.

        An override is for a contact that is inactive elsewhere; others follow their status.
        """
        if self.group is None:
            return None
        overrides = not self.clears and self.contact.status is Status.INACTIVE
        return MembershipState.ACTIVE if overrides else MembershipState.FOLLOWS

    @property
    def changes(self) -> bool:
        """Whether anything is to be done at all."""
        if self.group is None:
            return self.contact.status is Status.INACTIVE or bool(self.ending)
        state = self.contact.membership_in(self.group_id)
        if self.clears:
            return state is MembershipState.ACTIVE
        return bool(self.ending) or state is not self.membership_after

    @property
    def moves_state(self) -> bool:
        """Whether the status, or the membership's state, becomes another one."""
        if self.group is None:
            return self.contact.status is Status.INACTIVE
        return self.contact.membership_in(self.group_id) is not self.membership_after

    @property
    def to_acknowledge(self) -> list[Acknowledgement]:
        """What must be acknowledged besides the email: what is open, and any complaint."""
        if self.clears or not self.changes:
            return []
        found: set[str] = {reason.category for reason in self.contact.reasons}
        if self.contact.complained:
            found.add(Category.SPAM_COMPLAINT)
        if any(reason.origin is Origin.UNSUBSCRIBE for reason in self.contact.reasons):
            found.add(UNSUBSCRIBED)
        return [each for each in Acknowledgement if each in found]


@dataclass(frozen=True, slots=True)
class Reactivated:
    """What was done. `run` None: nothing had to be."""

    target: Target
    status: Status
    ended: int
    run: int | None


def find_target(
    session: Session, name: str, *, group: str | None = None, clears: bool = False
) -> Target:
    """The contact by email or number, with what is open; errors for what cannot be reactivated."""
    if clears and group is None:
        raise UsageError("--clear needs --group: it clears the override in one group")
    contact = standing_of(session, name, erased="that cannot be undone")
    group_id, group_name = group_of(session, group) if group else (SYSTEM_WIDE, None)
    if group_name is not None and contact.membership_in(group_id) is None:
        raise RefusedError(
            f"{contact.email} is not a member of '{group_name}'",
            hint=f"`contactctl groups add {quote(show_safely(group_name))} {contact.email}`"
            " adds it",
            code="no-member",
        )
    return Target(contact, group_id, group_name, clears)


def require_acknowledged(target: Target, acknowledged: Collection[Acknowledgement]) -> None:
    """RefusedError unless every category that needs it was acknowledged by name."""
    for category in target.to_acknowledge:
        if category not in acknowledged:
            raise RefusedError(
                f"{category}: {MEANING[category]}; nothing was changed",
                hint=f"if you still want this, add --acknowledge {category}",
                code="not-acknowledged",
            )


def recommended_for(reason: Reason) -> str:
    """What common practice advises for a deactivation's category."""
    if reason.origin is Origin.UNSUBSCRIBE:
        return "do not reactivate, unless the recipient asks for it"
    if not reason.category:
        return "review why it was deactivated"
    return RECOMMENDED[Category(reason.category)]


def reactivate(session: Session, target: Target, *, reason: str = "") -> Reactivated:
    """Do it, in one transaction; RefusedError when the contact changed since it was shown."""
    if not target.changes:
        return Reactivated(target, target.contact.status, 0, None)
    now = session.clock()
    contact_id = target.contact.id
    with taking_turn(session.store) as connection:
        require_as_shown(connection, target.contact)
        request = session.request(_details(target), reason=reason)
        run_id = begin_one(connection, request, now, ended=len(target.ending))
        if target.ending:
            end_reasons(connection, contact_id, target.group_id, run_id, now)
        told: dict[str, object] = {}
        if target.membership_after is None:
            set_active(connection, contact_id, now)
        else:
            state = target.membership_after
            told = {"group_id": target.group_id, "state": state}
            set_membership(
                connection, contact_id, target.group_id, state, now, brings_back=not target.clears
            )
        if target.moves_state:
            kind = ChangeKind.OVERRIDE_CLEARED if target.clears else ChangeKind.REACTIVATED
            note_change(connection, run_id, kind, contact_id, now, **told)
        finish_one(connection, run_id, now)
    status = Status.ACTIVE if target.group is None else target.contact.status
    return Reactivated(target, status, len(target.ending), run_id)


def _details(target: Target) -> ReactivateRun:
    return ReactivateRun(
        target.contact.id, target.group, target.clears, ended_reasons(target.ending)
    )


# Undoing a whole run: what is left to undo of it, shown before and frozen as a plan


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What taking `undone` back would do now; `count` of the contacts that it changed are left."""

    database: str
    undone: Run
    count: int
    rows: Sequence[Mapping[str, Any]]
    stakes: Stakes
    impact: Impact


def _what_allows_it(session: Session) -> str:
    bound = session.bound
    if bound is None or bound.policy is None or "allow_undo" in bound.stricter:
        return "`allow_undo: true` in the config allows it"
    return (
        "`allow_undo: true` in the store's policy allows it: `contactctl policy export`, then"
        " `contactctl policy apply FILE`"
    )


def require_undoable(session: Session, run_id: int) -> Run:
    """The run to take back; RefusedError where the config or the run does not allow it."""
    if not session.settings.allow_undo:
        raise RefusedError(
            "undoing a whole run is off",
            hint=f"{_what_allows_it(session)};"
            " `contactctl reactivate EMAIL` reactivates one contact",
            code="undo-off",
        )
    run = read_run(session, run_id)
    if not run.run_type.deactivates:
        raise RefusedError(f"run {run_id} ({run.kind}) has deactivated no contact")
    if run.state is RunState.RUNNING:
        raise RefusedError(
            f"run {run_id} is not finished",
            hint=f"`contactctl runs resume {run_id}` or `contactctl runs cancel {run_id}` first",
        )
    return run


def preview_undo(session: Session, undone: Run) -> UndoPreview:
    """Count and show whom `undone` deactivated and nothing has touched since; writes nothing."""
    bypassing = bypassing_groups(session)
    ids = undoable_ids(undone.id)
    with session.store.reading() as connection:
        count, active = count_ids(connection, ids), count_active(connection)
        regains = regains_of_undo(connection, undone.id, ids, bypassing)
        return UndoPreview(
            database=session.store.identity,
            undone=undone,
            count=count,
            rows=first_rows(connection, ids, PREVIEW_ROWS),
            stakes=stakes_of_plan(session, PlanFigures(RunKind.UNDO, count, active, count)),
            impact=impact_of(session, active, regains),
        )


def plan_undo_of(
    session: Session, undone: Run, *, reason: str = "", said: Confirmation | None = None
) -> Run | None:
    """Freeze what `undone` deactivated and nothing has touched since; None where nothing is left.

    With `said` (a script's confirmation) the run is `running` at once, as with a deactivation.
    """
    return write_confirmed_plan(
        session,
        session.request(UndoRun(undone.id), reason=reason),
        plan_undo(undone.id),
        said,
    )
