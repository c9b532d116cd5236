"""Anonymising and deleting contacts, one by email or many by criteria; there is no way back."""

from dataclasses import replace
from functools import partial

from contactctl.domain.emails import EmailAddress
from contactctl.domain.errors import RefusedError
from contactctl.domain.handling import ContactStanding
from contactctl.domain.run_kinds import AnonymizeRun, ErasingRun
from contactctl.domain.runs import Confirmation, Run
from contactctl.domain.waits import FOR_LOCKS_S
from contactctl.operations.contacts import standing_of
from contactctl.operations.criteria import Selection
from contactctl.operations.plans import (
    Affected,
    affected,
    without_limits,
    write_confirmed_plan,
    write_plan,
)
from contactctl.operations.run_work import work_through
from contactctl.operations.session import Session
from contactctl.operations.suppressions import key_for_hashing, require_key
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive
from contactctl.store.erasure import clean_up, needs_clean_up, not_anonymised
from contactctl.store.plans import BatchWork, plan_of
from contactctl.store.predicates import Clause
from contactctl.store.selections import is_contact


def to_be_erased(session: Session, erasing: type[ErasingRun], name: str) -> ContactStanding:
    """The contact by email or number; RefusedError where there is nothing to anonymise any more."""
    nothing = "nothing is left to anonymise" if erasing is AnonymizeRun else ""
    return standing_of(session, name, erased=nothing)


def erase_one(
    session: Session,
    erasing: type[ErasingRun],
    contact: ContactStanding,
    *,
    reason: str = "",
    wait_seconds: float = FOR_LOCKS_S,
) -> Run:
    """Erase the contact that was shown, its email typed; a run of one contact, without limits."""
    require_key(session)
    request = session.request(erasing(contact=contact.id), reason=reason)
    with exclusive(session.store, CONTACT_CHANGES, wait_seconds=wait_seconds):
        run = write_plan(session, request, plan_of(is_contact(contact.id)), without_limits)
        if run is None:
            raise RefusedError(f"contact {contact.id} has just been deleted")
        done = work_through(session, run)
    if not done.changed:
        raise RefusedError(
            f"contact {contact.id} was changed in the same moment, and is not erased",
            hint="give the command again",
        )
    return done


def plan_erasing(
    session: Session,
    erasing: type[ErasingRun],
    selection: Selection,
    *,
    reason: str = "",
    said: Confirmation | None = None,
) -> Run | None:
    """Freeze the selection, active or not, as a run that erases; None when nothing matches."""
    require_key(session)
    where = _erasable(erasing, selection.where(session.store.dialect))
    return write_confirmed_plan(
        session,
        session.request(erasing(selected=selection.kept()), reason=reason),
        plan_of(where),
        said,
    )


def preview_erasing(session: Session, erasing: type[ErasingRun], selection: Selection) -> Affected:
    """What erasing the selection would concern."""
    where = _erasable(erasing, selection.where(session.store.dialect))
    does = f"{erasing.verb} for good, with all that is stored about them; they stay suppressed"
    return affected(session, erasing.kind, selection, where, does=does, takes_away=True)


def _erasable(erasing: type[ErasingRun], where: Clause) -> Clause:
    """What is anonymised already is not anonymised again; it can be deleted."""
    return not_anonymised(where) if erasing is AnonymizeRun else where


def with_key(session: Session, _run: Run, work: BatchWork) -> BatchWork:
    """The work of an erasure, with the key by which the addresses stay suppressed."""
    erased: list[EmailAddress] = []
    # what an earlier process has erased, nobody knows any more
    known = None if needs_clean_up(session.store) else erased
    key = partial(key_for_hashing, session)
    change = partial(work.change, current_key=key, on_erased=erased.extend)
    return replace(work, change=change, clean_up=partial(clean_up, erased=known))
