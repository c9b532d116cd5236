"""The commands `contacts anonymize` and `contacts delete`."""

from typing import TYPE_CHECKING

from contactctl.cli import options
from contactctl.cli.confirmation import Change, change_of_affected, change_selection
from contactctl.cli.context import OneOrManyInvocation
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.operations.criteria import Selection
    from contactctl.operations.session import Session


def anonymize(invocation: OneOrManyInvocation, contact: options.OneContact = None) -> Presentation:
    """Remove all personal data from contacts, permanently.

    Examples:
        contactctl contacts anonymize ann@example.com
        contactctl contacts anonymize ann@example.com --confirm ann@example.com
        contactctl contacts anonymize --where 'deactivated older-than 3 years'

    Removes profile, tags, memberships, responses, and the address wherever the
    store has it; a number stays for the totals. The address stays suppressed.
    """
    return _erase(invocation, AnonymizeRun, contact)


def delete(invocation: OneOrManyInvocation, contact: options.OneContact = None) -> Presentation:
    """Delete contacts and everything stored about them, permanently.

    Examples:
        contactctl contacts delete ann@example.com
        contactctl contacts delete 1284 --confirm ann@example.com
        contactctl contacts delete --criteria gone.yaml --confirm 312

    Only the run itself stays, without the address. The address stays suppressed:
    imports, `contacts add` and ingests reject it.
    """
    return _erase(invocation, DeleteRun, contact)


def _erase(
    invocation: OneOrManyInvocation, erasing: type[ErasingRun], contact: str | None
) -> Presentation:
    if contact is None:
        return _erase_selected(invocation, erasing)
    invocation.require_alone()
    return _erase_one(invocation, erasing, contact)


def _erase_one(
    invocation: OneOrManyInvocation, erasing: type[ErasingRun], email_or_id: str
) -> Presentation:
    from contactctl.cli.confirmation import confirmed_or_refused
    from contactctl.operations.contacts import standing_of
    from contactctl.operations.erasure import erase_one
    from contactctl.output.upkeep import present_before_erasing, present_erased

    confirm, wait = invocation.shared["confirm"], invocation.shared["wait"]
    with invocation.open_session() as session:
        contact = standing_of(session, email_or_id)
        shown = present_before_erasing(contact, erasing)
        email = (contact.email, contact.email_key)
        if refused := confirmed_or_refused(invocation, shown, *email, confirm):
            return refused
        run = erase_one(session, erasing, contact, reason=invocation.reason, wait_seconds=wait)
        return present_erased(run, contact.id)


def _erase_selected(invocation: OneOrManyInvocation, erasing: type[ErasingRun]) -> Presentation:
    from contactctl.operations.plans import select_any

    manner = invocation.manner()
    source = invocation.criteria_source()
    with invocation.open_session() as session:
        change = _change(session, erasing, select_any(session, source), invocation.reason)
        return change_selection(invocation, session, manner, change)


def _change(
    session: "Session", erasing: type[ErasingRun], selection: "Selection", reason: str
) -> Change:
    from contactctl.operations.erasure import plan_erasing, preview_erasing

    return change_of_affected(
        lambda said: plan_erasing(session, erasing, selection, reason=reason, said=said),
        lambda: preview_erasing(session, erasing, selection),
    )
