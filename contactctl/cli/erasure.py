"""The commands `contacts anonymize` and `contacts delete`."""

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import change_any, confirmed_or_refused
from contactctl.cli.context import OneOrManyInvocation
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.output.view import Presentation


def anonymize(invocation: OneOrManyInvocation, contact: options.OneContact = None) -> Presentation:
    """Examples:
        contactctl contacts anonymize ann@example.com
        contactctl contacts anonymize ann@example.com --confirm ann@example.com
        contactctl contacts anonymize --where 'deactivated older-than 3 years'

    Removes profile, tags, memberships, responses, and the address wherever the
    store has it; a number stays for the totals. The address stays suppressed.
    """
    return _erase(invocation, AnonymizeRun, contact)


def delete(invocation: OneOrManyInvocation, contact: options.OneContact = None) -> Presentation:
    """Examples:
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
        return change_any(
            invocation, operations.erasure.plan_erasing, operations.erasure.preview_erasing, erasing
        )
    invocation.require_alone()
    return _erase_one(invocation, erasing, contact)


def _erase_one(
    invocation: OneOrManyInvocation, erasing: type[ErasingRun], email_or_id: str
) -> Presentation:
    with invocation.open_session() as session:
        contact = operations.erasure.to_be_erased(session, erasing, email_or_id)
        shown = output.upkeep.present_before_erasing(contact, erasing)
        said = invocation.confirm
        if refused := confirmed_or_refused(invocation, shown, contact.email, said):
            return refused
        reason, wait = invocation.reason, invocation.wait
        run = operations.erasure.erase_one(
            session, erasing, contact, reason=reason, wait_seconds=wait
        )
        return output.upkeep.present_erased(run, contact.id)
