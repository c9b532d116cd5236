"""The commands below `suppressions`: the list here, and those of providers."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.confirmation import Change, change_selection
from contactctl.cli.context import BackgroundInvocation, ReasonedInvocation, StoreInvocation
from contactctl.cli.imports import TableInvocation
from contactctl.cli.ingest import RecordingInvocation
from contactctl.cli.options import argument, flag, option
from contactctl.domain.errors import UsageError
from contactctl.output.view import Presentation

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
    """Examples:
        contactctl suppressions list
        contactctl suppressions list --limit 100000 --format csv

    A hash does not reveal its address; `suppressions check` tests one address.
    """
    invocation.check_fields(*output.suppressions.SUPPRESSION_FIELDS)
    with invocation.open_session() as session:
        return output.suppressions.present_suppressions(
            operations.suppressions.read_suppressions(session, limit)
        )


def check(invocation: StoreInvocation, email: Address) -> Presentation:
    """Examples:
    contactctl suppressions check ann@example.com
    """
    with invocation.open_session() as session:
        return output.suppressions.present_suppressed(
            operations.suppressions.is_suppressed(session, email)
        )


def import_(
    invocation: TableInvocation,
    file: ListFile,
    sha256: Sha256 = False,
    md5: Md5 = False,
    column: ColumnName = None,
) -> Presentation:
    """Examples:
        contactctl suppressions import unsubscribed.csv
        contactctl suppressions import bounces.csv --column address
        contactctl suppressions import hashes.txt --sha256

    The file has an address or an @domain in each line, or a header with a column
    that names them. With --sha256 or --md5 it has hashes of addresses in lower
    case. Addresses that contacts have are rejected: delete the contact instead.
    """
    from contactctl.cli.context import bytes_of_stdin
    from contactctl.domain.erasure import Digest

    invocation.check_fields(*output.suppressions.LIST_FIELDS)
    if sha256 and md5:
        raise UsageError("--sha256 and --md5 cannot be combined", hint="give the one of the file")
    given = operations.address_lists.ListInput(
        None if str(file) == "-" else file,
        bytes_of_stdin(invocation.console),
        Digest.SHA256 if sha256 else Digest.MD5 if md5 else None,
        column,
        invocation.separator,
        invocation.codec,
        invocation.sheet,
    )
    reason = invocation.reason
    with (
        invocation.open_session() as session,
        output.rejects.RejectsFile(invocation.rejects, [file]) as rejected,
    ):
        return output.suppressions.present_list(
            operations.address_lists.suppress_list(session, given, rejected, reason=reason),
            rejected,
        )


def add(
    invocation: ReasonedInvocation, email: AddressOrDomain, confirm: ConfirmAddress = None
) -> Presentation:
    """Examples:
        contactctl suppressions add ann@example.com
        contactctl suppressions add @example.org
        contactctl suppressions add ann@example.com --confirm ann@example.com

    Imports, `contacts add` and ingests reject it from now on. To suppress a
    contact's address, delete the contact: `contactctl contacts delete EMAIL`.
    """
    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        change = operations.suppressions.add_suppression(session, email, reason=invocation.reason)
        return output.suppressions.present_suppression_change(change)


def remove(
    invocation: ReasonedInvocation, email: AddressOrDomain, confirm: ConfirmAddress = None
) -> Presentation:
    """Examples:
        contactctl suppressions remove ann@example.com
        contactctl suppressions remove ann@example.com --confirm ann@example.com

    Do this only if the person has asked for it.
    """
    with invocation.open_session() as session:
        _confirm(invocation, email, confirm)
        change = operations.suppressions.remove_suppression(
            session, email, reason=invocation.reason
        )
        return output.suppressions.present_suppression_change(change)


def rotate_key(
    invocation: StoreInvocation,
    drop: Annotated[
        bool, flag("--drop", "Drop the old keys that no hash of this store needs.")
    ] = False,
) -> Presentation:
    """Examples:
        contactctl suppressions rotate-key

    Stored hashes cannot be renewed without the addresses, so each old key stays in
    the key file. --drop drops those that this store does not use; do not use it where
    another store has the same key file. The file as it was is kept beside it, with the
    time in its name.
    """
    with invocation.open_session() as session:
        return output.suppressions.present_rotated(
            operations.suppressions.rotate_key(session, drop=drop)
        )


def _confirm(invocation: StoreInvocation, email: str, confirm: str | None) -> None:
    from contactctl.cli.confirmation import confirm_email

    operations.suppressions.key_of(email)  # what is no address is said before anything is asked
    confirm_email(invocation.console, email, confirm)


# A provider's suppression list


ProviderName = Annotated[str, argument("NAME", "The provider's name in the config.")]


def push(invocation: BackgroundInvocation, name: ProviderName) -> Presentation:
    """Examples:
        contactctl suppressions push sendgrid --dry-run
        contactctl suppressions push sendgrid
        contactctl suppressions push sendgrid --confirm 1284

    Inactive contacts that the provider was not told of are suppressed there;
    those that were put there by this command, and are active again, are taken
    off, unless they have complained. `diff` shows both lists.
    """
    manner = invocation.manner()
    with invocation.open_session() as session:
        source = operations.pushing.find_provider(session, name)

        def preview() -> Presentation:
            return output.suppressions.present_push(
                operations.pushing.preview_push(session, source)
            )

        change = Change(
            lambda said: operations.pushing.plan_push_to(
                session, source, reason=invocation.reason, said=said
            ),
            preview,
        )
        manner = replace(manner, work=operations.pushing.work_of_push(source))
        return change_selection(invocation, session, manner, change)


def diff(invocation: StoreInvocation, name: ProviderName) -> Presentation:
    """Examples:
        contactctl suppressions diff sendgrid
        contactctl suppressions diff sendgrid --json

    Reads the whole list; nothing is changed, here or there.
    """
    invocation.check_fields(*output.suppressions.DIFF_FIELDS)
    with invocation.open_session() as session:
        return output.suppressions.present_diff(
            operations.pushing.compare_with_provider(
                session, operations.pushing.find_provider(session, name)
            )
        )


def pull(invocation: RecordingInvocation, name: ProviderName) -> Presentation:
    """Examples:
        contactctl suppressions pull sendgrid

    Each bounce, complaint and unsubscribe on the provider's lists counts once, at
    its own time, like one that `responses fetch` finds. What `push` has put there
    does not count.
    """
    with (
        invocation.open_session() as session,
        output.rejects.ResponseRejects(invocation.rejects) as rejected,
    ):
        source = operations.pushing.find_provider(session, name)
        key = operations.secrets.read_key(source, invocation.console.environ)
        add, whole = rejected.add, operations.fetch.FetchOptions(is_pull=True)
        wait = invocation.wait
        result = operations.fetch.fetch_responses(
            session, source, key, add, whole, wait_seconds=wait
        )
        return output.ingest.present_fetch(result, rejected)
