"""The commands `contacts anonymize` and `contacts delete`."""

from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import SelectingInvocation, StoreInvocation
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.runs import RunKind
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.cli.change_selection import Manner
    from contactctl.operations.select import CriteriaSource

Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm",
        metavar="EMAIL|COUNT",
        help="Instead of typing it: the one contact's email, or the number of contacts.",
    ),
]


def anonymize(
    invocation: SelectingInvocation,
    contact: options.OneContact = None,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
    plan: options.KeepPlan = False,
    confirm: Confirm = None,
    limit_override: options.LimitOverride = None,
    wait: options.Wait = options.DEFAULT_WAIT,
) -> Presentation:
    """Take everything personal out of contacts, for good.

    Examples:
        contactctl contacts anonymize ann@example.com
        contactctl contacts anonymize ann@example.com --confirm ann@example.com
        contactctl contacts anonymize --where 'deactivated older-than 3 years'

    Profile, tags, memberships, responses and the address, wherever the store has
    it, are gone; a number stays for the totals. The address stays suppressed.
    """
    source = invocation.criteria_source()
    if contact is not None:
        _require_no_criteria(source)
        _require_plain(dry_run=dry_run, plan=plan, limit_override=limit_override)
        return _erase_one(invocation, RunKind.ANONYMIZE, contact, confirm, reason or "", wait)
    manner = _manner(confirm, limit_override, dry_run, plan, wait)
    return _erase_selected(invocation, RunKind.ANONYMIZE, source, manner, reason or "")


def delete(
    invocation: SelectingInvocation,
    contact: options.OneContact = None,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
    plan: options.KeepPlan = False,
    confirm: Confirm = None,
    limit_override: options.LimitOverride = None,
    wait: options.Wait = options.DEFAULT_WAIT,
) -> Presentation:
    """Delete contacts with everything that is stored about them, for good.

    Examples:
        contactctl contacts delete ann@example.com
        contactctl contacts delete 1284 --confirm ann@example.com
        contactctl contacts delete --criteria gone.yaml --confirm 312

    Only the run that did it stays, without the address. The address stays
    suppressed: imports, `contacts add` and ingests reject it.
    """
    source = invocation.criteria_source()
    if contact is not None:
        _require_no_criteria(source)
        _require_plain(dry_run=dry_run, plan=plan, limit_override=limit_override)
        return _erase_one(invocation, RunKind.DELETE, contact, confirm, reason or "", wait)
    manner = _manner(confirm, limit_override, dry_run, plan, wait)
    return _erase_selected(invocation, RunKind.DELETE, source, manner, reason or "")


def _require_no_criteria(source: "CriteriaSource") -> None:
    if source.has_flags or source.file is not None:
        raise UsageError("give an email or criteria, not both")


def _require_plain(*, dry_run: bool, plan: bool, limit_override: str | None) -> None:
    if dry_run or plan or limit_override is not None:
        raise UsageError("--dry-run, --plan and --limit-override go with criteria alone")


def _manner(
    confirm: str | None, limit_override: str | None, dry_run: bool, plan: bool, wait: float
) -> "Manner":
    from contactctl.cli.change_selection import Manner
    from contactctl.cli.confirming import read_confirmation

    return Manner(read_confirmation(confirm, limit_override), dry_run, plan, wait)


def _erase_one(
    invocation: StoreInvocation,
    kind: RunKind,
    name: str,
    confirm: str | None,
    reason: str,
    wait: float,
) -> Presentation:
    from contactctl.cli.confirming import confirm_email
    from contactctl.operations.erase import erase_one, find_contact
    from contactctl.output.erase import present_before_erasing, present_erased

    with invocation.open_session() as session:
        contact = find_contact(session, name)
        shown = present_before_erasing(contact, kind)
        if confirm is None:
            invocation.show_before_prompt(shown)
        try:
            confirm_email(invocation.console, contact.email, contact.email_key, confirm)
        except RefusedError as refused:
            return shown.failed(refused)
        run = erase_one(session, kind, contact, reason=reason, wait_seconds=wait)
        return present_erased(run, contact.id)


def _erase_selected(
    invocation: StoreInvocation,
    kind: RunKind,
    source: "CriteriaSource",
    manner: "Manner",
    reason: str,
) -> Presentation:
    from contactctl.cli.change_selection import change_selection
    from contactctl.operations.affected import select_any
    from contactctl.operations.erase import plan_erasing, preview_erasing

    with invocation.open_session() as session:
        selection = select_any(session, source)
        return change_selection(
            invocation,
            session,
            manner,
            lambda: preview_erasing(session, kind, selection),
            lambda said: plan_erasing(session, kind, selection, reason=reason, said=said),
        )
