"""The commands `suppressions push`, `diff` and `pull`: a provider's suppression list."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.cli.ingest import Rejects
from contactctl.domain.waits import FOR_INGEST_S, FOR_LOCKS_S
from contactctl.output.presentation import Presentation

if TYPE_CHECKING:
    from contactctl.domain.runs import Confirmation, Run

ProviderName = Annotated[
    str, typer.Argument(metavar="NAME", help="The provider's name in the config.")
]


def push(
    invocation: StoreInvocation,
    name: ProviderName,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
    plan: options.KeepPlan = False,
    confirm: options.ConfirmCount = None,
    limit_override: options.LimitOverride = None,
    background: options.Background = False,
    wait: options.Wait = FOR_LOCKS_S,
) -> Presentation:
    """Make a provider's suppression list follow who is inactive.

    Examples:
        contactctl suppressions push sendgrid --dry-run
        contactctl suppressions push sendgrid
        contactctl suppressions push sendgrid --confirm 1284

    Inactive contacts that the provider was not told of are suppressed there;
    those that were put there by this command, and are active again, are taken
    off, unless they have complained. `diff` shows both lists.
    """
    from contactctl.cli.confirmation import (
        Change,
        Manner,
        change_selection,
        checked,
        read_confirmation,
    )
    from contactctl.operations.pushing import (
        find_provider,
        plan_push_to,
        preview_push,
        work_of_push,
    )
    from contactctl.output.providers import present_push

    said = read_confirmation(confirm, limit_override)
    manner = checked(Manner(said, background, wait, dry_run, plan))
    with invocation.open_session() as session:
        source = find_provider(session, name)
        manner = replace(manner, work=work_of_push(source))

        def make_plan(said: "Confirmation | None") -> "Run | None":
            return plan_push_to(session, source, reason=reason or "", said=said)

        def preview() -> Presentation:
            return present_push(preview_push(session, source))

        return change_selection(invocation, session, manner, Change(make_plan, preview, preview))


def diff(invocation: StoreInvocation, name: ProviderName) -> Presentation:
    """Compare a provider's suppression list with who is inactive.

    Examples:
        contactctl suppressions diff sendgrid
        contactctl suppressions diff sendgrid --json

    Reads the whole list; nothing is changed, here or there.
    """
    from contactctl.operations.pushing import compare_with_provider, find_provider
    from contactctl.output.providers import DIFF_FIELDS, present_diff

    invocation.check_fields(*DIFF_FIELDS)
    with invocation.open_session() as session:
        return present_diff(compare_with_provider(session, find_provider(session, name)))


def pull(
    invocation: StoreInvocation,
    name: ProviderName,
    rejects: Rejects = None,
    wait: options.WaitForIngest = FOR_INGEST_S,
) -> Presentation:
    """Record why a provider suppresses addresses, as responses.

    Examples:
        contactctl suppressions pull sendgrid

    Each bounce, complaint and unsubscribe on the provider's lists counts once, at
    its own time, like one that `responses fetch` finds. What `push` has put there
    does not count.
    """
    from contactctl.operations.fetch import FetchOptions, fetch_responses
    from contactctl.operations.pushing import find_provider
    from contactctl.operations.responses import read_key
    from contactctl.output.providers import present_fetch
    from contactctl.output.rejects import ResponseRejects

    with invocation.open_session() as session, ResponseRejects(rejects) as rejected:
        source = find_provider(session, name)
        key = read_key(source, invocation.console.environ)
        whole = FetchOptions(is_pull=True)
        result = fetch_responses(session, source, key, rejected.add, whole, wait_seconds=wait)
        return present_fetch(result, rejected)
