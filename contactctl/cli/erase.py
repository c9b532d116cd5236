"""The commands `contacts anonymize` and `contacts delete`."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.changes import Change, ChangingInvocation, change_of_affected, change_selection
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.operations.select import Selection
    from contactctl.operations.session import Session

Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm",
        metavar="EMAIL|COUNT",
        help="The contact's email, or the number of contacts, instead of typing it.",
    ),
]


class ErasingInvocation(ChangingInvocation):
    """A command that erases the contacts that criteria select, or one of them by its email."""

    LEADING_OPTIONS = MappingProxyType(
        {**ChangingInvocation.LEADING_OPTIONS, "confirm": (Confirm, None)}
    )


def anonymize(invocation: ErasingInvocation, contact: options.OneContact = None) -> Presentation:
    """Remove all personal data from contacts, permanently.

    Examples:
        contactctl contacts anonymize ann@example.com
        contactctl contacts anonymize ann@example.com --confirm ann@example.com
        contactctl contacts anonymize --where 'deactivated older-than 3 years'

    Removes profile, tags, memberships, responses, and the address wherever the
    store has it; a number stays for the totals. The address stays suppressed.
    """
    return _erase(invocation, AnonymizeRun, contact)


def delete(invocation: ErasingInvocation, contact: options.OneContact = None) -> Presentation:
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
    invocation: ErasingInvocation, erasing: type[ErasingRun], contact: str | None
) -> Presentation:
    if contact is None:
        return _erase_selected(invocation, erasing)
    if invocation.has_criteria:
        raise UsageError("give an email or criteria, not both")
    override = invocation.shared["limit_override"]
    if invocation.dry_run or invocation.keeps_plan or override is not None:
        raise UsageError("--dry-run, --plan and --limit-override work only with criteria")
    return _erase_one(invocation, erasing, contact)


def _erase_one(
    invocation: ErasingInvocation, erasing: type[ErasingRun], email_or_id: str
) -> Presentation:
    from contactctl.cli.prompts import confirm_email
    from contactctl.operations.erasure import erase_one, find_contact
    from contactctl.output.erase import present_before_erasing, present_erased

    confirm, wait = invocation.shared["confirm"], invocation.shared["wait"]
    with invocation.open_session() as session:
        contact = find_contact(session, email_or_id)
        shown = present_before_erasing(contact, erasing)
        if confirm is None:
            invocation.show_before_prompt(shown)
        try:
            confirm_email(invocation.console, contact.email, contact.email_key, confirm)
        except RefusedError as refused:
            return shown.failed(refused)
        run = erase_one(session, erasing, contact, reason=invocation.reason, wait_seconds=wait)
        return present_erased(run, contact.id)


def _erase_selected(invocation: ErasingInvocation, erasing: type[ErasingRun]) -> Presentation:
    from contactctl.operations.affected import select_any

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
