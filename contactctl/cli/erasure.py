"""The commands `contacts anonymize` and `contacts delete`, and those below `suppressions`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl.cli import options
from contactctl.cli.confirmation import Change, change_of_affected, change_selection
from contactctl.cli.context import OneOrManyInvocation, StoreInvocation
from contactctl.cli.imports import Delimiter, Encoding, RejectsPath, Sheet, with_signature
from contactctl.cli.options import argument, flag, option
from contactctl.domain.errors import UsageError
from contactctl.domain.run_kinds import AnonymizeRun, DeleteRun, ErasingRun
from contactctl.output.presentation import Presentation

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
    from contactctl.operations.erasure import erase_one, find_contact
    from contactctl.output.erasure import present_before_erasing, present_erased

    confirm, wait = invocation.shared["confirm"], invocation.shared["wait"]
    with invocation.open_session() as session:
        contact = find_contact(session, email_or_id)
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


# The commands below `suppressions`


Address = Annotated[str, argument("EMAIL", "One address.")]
AddressOrDomain = Annotated[
    str, argument("EMAIL|@DOMAIN", "One address, or every one of a domain.")
]
ListFile = Annotated[Path, argument("FILE", "The file; - reads standard input.")]
Sha256 = Annotated[bool, flag("--sha256", "The file contains SHA-256 hashes.")]
Md5 = Annotated[bool, flag("--md5", "The file contains MD5 hashes.")]
ColumnName = Annotated[str | None, option("--column", "NAME", "The column that contains them.")]
ConfirmAddress = Annotated[
    str | None, option("--confirm", "EMAIL", "The address again, instead of typing it.")
]
Limit = Annotated[int, options.limit("Show at most N, newest first.")]


def list_(invocation: StoreInvocation, limit: Limit = 100) -> Presentation:
    """List the suppressed addresses, as hashes.

    Examples:
        contactctl suppressions list
        contactctl suppressions list --limit 100000 --format csv

    A hash does not reveal its address; `suppressions check` tests one address.
    """
    from contactctl.operations.suppressions import read_suppressions
    from contactctl.output.erasure import SUPPRESSION_FIELDS, present_suppressions

    invocation.check_fields(*SUPPRESSION_FIELDS)
    with invocation.open_session() as session:
        return present_suppressions(read_suppressions(session, limit))


def check(invocation: StoreInvocation, email: Address) -> Presentation:
    """Show whether an address is suppressed.

    Examples:
        contactctl suppressions check ann@example.com
    """
    from contactctl.operations.suppressions import is_suppressed
    from contactctl.output.erasure import present_suppressed

    with invocation.open_session() as session:
        return present_suppressed(is_suppressed(session, email))


def import_(
    invocation: StoreInvocation,
    file: ListFile,
    sha256: Sha256 = False,
    md5: Md5 = False,
    column: ColumnName = None,
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    sheet: Sheet = None,
    rejects: RejectsPath = None,
    reason: options.Reason = None,
) -> Presentation:
    """Suppress a whole list of addresses.

    Examples:
        contactctl suppressions import unsubscribed.csv
        contactctl suppressions import bounces.csv --column address
        contactctl suppressions import hashes.txt --sha256

    The file has an address or an @domain in each line, or a header with a column
    that names them. With --sha256 or --md5 it has hashes of addresses in lower
    case. Addresses that contacts have are rejected: delete the contact instead.
    """
    from contactctl.cli.context import bytes_of_stdin
    from contactctl.cli.imports import one_character
    from contactctl.domain.erasure import Digest
    from contactctl.operations.suppressions import ListInput, suppress_list
    from contactctl.output.erasure import LIST_FIELDS, present_list
    from contactctl.output.rejects import RejectsFile

    invocation.check_fields(*LIST_FIELDS)
    if sha256 and md5:
        raise UsageError("--sha256 and --md5 cannot be combined", hint="give the one of the file")
    given = ListInput(
        None if str(file) == "-" else file,
        bytes_of_stdin(invocation.console),
        Digest.SHA256 if sha256 else Digest.MD5 if md5 else None,
        column,
        one_character(delimiter),
        with_signature(encoding),
        sheet,
    )
    with invocation.open_session() as session, RejectsFile(rejects, [file]) as rejected:
        return present_list(suppress_list(session, given, rejected, reason=reason or ""), rejected)


def add(
    invocation: StoreInvocation,
    email: AddressOrDomain,
    reason: options.Reason = None,
    confirm: ConfirmAddress = None,
) -> Presentation:
    """Suppress an address that no contact has, or a whole domain.

    Examples:
        contactctl suppressions add ann@example.com
        contactctl suppressions add @example.org
        contactctl suppressions add ann@example.com --confirm ann@example.com

    Imports, `contacts add` and ingests reject it from now on. To suppress a
    contact's address, delete the contact: `contactctl contacts delete EMAIL`.
    """
    from contactctl.operations.suppressions import add_suppression
    from contactctl.output.erasure import present_suppression_change

    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        return present_suppression_change(add_suppression(session, email, reason=reason or ""))


def remove(
    invocation: StoreInvocation,
    email: AddressOrDomain,
    reason: options.Reason = None,
    confirm: ConfirmAddress = None,
) -> Presentation:
    """Allow an address, or a domain, to be imported again.

    Examples:
        contactctl suppressions remove ann@example.com
        contactctl suppressions remove ann@example.com --confirm ann@example.com

    Do this only if the person has asked for it.
    """
    from contactctl.operations.suppressions import remove_suppression
    from contactctl.output.erasure import present_suppression_change

    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        return present_suppression_change(remove_suppression(session, email, reason=reason or ""))


def rotate_key(
    invocation: StoreInvocation,
    drop: Annotated[
        bool, flag("--drop", "Drop the old keys that no hash of this store needs.")
    ] = False,
) -> Presentation:
    """Create a new key for future hashes.

    Examples:
        contactctl suppressions rotate-key

    Stored hashes cannot be renewed without the addresses, so each old key stays in
    the key file. --drop drops those that this store does not use; do not use it where
    another store has the same key file. The file as it was is kept beside it, with the
    time in its name.
    """
    from contactctl.operations.suppressions import rotate_key as make_new_key
    from contactctl.output.erasure import present_rotated

    with invocation.open_session() as session:
        return present_rotated(make_new_key(session, drop=drop))


def _confirm(invocation: StoreInvocation, email: str, confirm: str | None) -> None:
    from contactctl.cli.confirmation import confirm_email
    from contactctl.operations.suppressions import key_of

    confirm_email(invocation.console, email, key_of(email), confirm)
