"""The commands `suppressions push`, `diff` and `pull`: a provider's suppression list."""

from dataclasses import replace
from typing import Annotated

from contactctl.cli import options
from contactctl.cli.context import BackgroundInvocation, StoreInvocation
from contactctl.cli.ingest import Rejects
from contactctl.cli.options import argument
from contactctl.domain.waits import FOR_INGEST_S
from contactctl.output.presentation import Presentation

ProviderName = Annotated[str, argument("NAME", "The provider's name in the config.")]


def push(invocation: BackgroundInvocation, name: ProviderName) -> Presentation:
    """Make a provider's suppression list follow who is inactive.

    Examples:
        contactctl suppressions push sendgrid --dry-run
        contactctl suppressions push sendgrid
        contactctl suppressions push sendgrid --confirm 1284

    Inactive contacts that the provider was not told of are suppressed there;
    those that were put there by this command, and are active again, are taken
    off, unless they have complained. `diff` shows both lists.
    """
    from contactctl.cli.confirmation import Change, change_selection
    from contactctl.operations.pushing import (
        find_provider,
        plan_push_to,
        preview_push,
        work_of_push,
    )
    from contactctl.output.providers import present_push

    manner = invocation.manner()
    with invocation.open_session() as session:
        source = find_provider(session, name)

        def preview() -> Presentation:
            return present_push(preview_push(session, source))

        change = Change(
            lambda said: plan_push_to(session, source, reason=invocation.reason, said=said),
            preview,
            preview,
        )
        manner = replace(manner, work=work_of_push(source))
        return change_selection(invocation, session, manner, change)


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
