"""The command `db attributes`."""

from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import UsageError
from contactctl.operations import waits
from contactctl.output.presentation import Presentation

Rename = Annotated[
    str | None,
    typer.Option("--rename", metavar="OLD=NEW", help="Give an attribute its declared name."),
]
Drop = Annotated[
    str | None, typer.Option("--drop", metavar="NAME", help="Drop an attribute with its values.")
]


def attributes(
    invocation: StoreInvocation,
    rename: Rename = None,
    drop: Drop = None,
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
    plan: options.KeepPlan = False,
    confirm: options.ConfirmCount = None,
    limit_override: options.LimitOverride = None,
    wait: options.Wait = waits.FOR_CHANGES_S,
) -> Presentation:
    """List the attributes that contacts have; rename or drop one that the config lost.

    Examples:
        contactctl db attributes
        contactctl db attributes --rename tier=plan --dry-run
        contactctl db attributes --drop shoe_size --confirm 1284

    An attribute that was renamed or taken out in the config is still stored with its
    contacts under the old name, where criteria cannot find it. Change the config
    first. The change is shown, and confirmed by the number of contacts.
    """
    from contactctl.cli.confirmation import (
        Change,
        Manner,
        change_selection,
        checked,
        read_confirmation,
    )
    from contactctl.operations.attributes import list_attributes, plan_change, preview_change
    from contactctl.output.upkeep import (
        ATTRIBUTE_FIELDS,
        present_attribute_change,
        present_attributes,
    )

    said = read_confirmation(confirm, limit_override)
    manner = checked(Manner(said, False, wait, dry_run, plan))
    if rename is None and drop is None:
        if said is not None or dry_run or plan:
            raise UsageError("give --rename OLD=NEW or --drop NAME")
        invocation.check_fields(*ATTRIBUTE_FIELDS)
        with invocation.open_session() as session:
            return present_attributes(list_attributes(session))
    name, to = _names(rename, drop)
    with invocation.open_session() as session:

        def preview() -> Presentation:
            return present_attribute_change(preview_change(session, name, to))

        preview()  # what is not possible is told before anything is planned
        change = Change(
            lambda said: plan_change(session, name, to, reason=reason or "", said=said),
            preview,
            preview,
        )
        return change_selection(invocation, session, manner, change)


def _names(rename: str | None, drop: str | None) -> tuple[str, str | None]:
    if rename is None:
        return drop or "", None
    if drop is not None:
        raise UsageError("--rename and --drop cannot be combined")
    old, equals, new = rename.partition("=")
    if not (equals and old.strip() and new.strip()):
        raise UsageError(f"--rename '{rename}' has no '='", hint="write it as --rename 'OLD=NEW'")
    return old.strip(), new.strip()
