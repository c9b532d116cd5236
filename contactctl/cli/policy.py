"""The commands below `policy`."""

from pathlib import Path
from typing import Annotated

from contactctl.cli import options
from contactctl.cli.context import ReasonedInvocation, StoreInvocation
from contactctl.cli.options import argument, option
from contactctl.output.view import Presentation

File = Annotated[Path, argument("FILE", "A config, or a file from `policy export`.")]
Confirm = Annotated[
    str | None, option("--confirm", "COUNT", "The number of changes, instead of typing it.")
]


def show(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl policy show

    It holds for every config: one may make it stricter, never looser.
    """
    from contactctl.config.policy import as_yaml
    from contactctl.operations.policy import read_policy
    from contactctl.output.policy import present_policy

    with invocation.open_session() as session:
        policy = read_policy(session)
        return present_policy(policy, as_yaml(policy.document))


def export(invocation: StoreInvocation) -> Presentation:
    """Examples:
    contactctl policy export > policy.yaml
    """
    from contactctl.config.policy import as_yaml
    from contactctl.operations.policy import read_policy
    from contactctl.output.policy import present_export

    with invocation.open_session() as session:
        policy = read_policy(session)
        return present_export(policy, as_yaml(policy.document))


def diff(invocation: StoreInvocation, file: File) -> Presentation:
    """Examples:
    contactctl policy diff policy.yaml
    """
    from contactctl.operations.policy import propose_policy
    from contactctl.output.policy import POLICY_CHANGE_FIELDS, present_proposal

    invocation.check_fields(*POLICY_CHANGE_FIELDS)
    with invocation.open_session() as session:
        return present_proposal(propose_policy(session, _path(invocation, file)), differs=True)


def apply(
    invocation: ReasonedInvocation,
    file: File,
    confirm: Confirm = None,
    dry_run: options.DryRun = False,
) -> Presentation:
    """Examples:
        contactctl policy apply policy.yaml --reason 'agreed on 15 June'
        contactctl policy apply policy.yaml --confirm 3

    Takes limits, plans, undo, thresholds, handling, groups, the incident guard and
    the time zone from the file; what belongs to a machine is left out. On Postgres
    only the role for admins may do it. A plan that waits keeps the approval that was
    in force when it was made.
    """
    from contactctl.cli.confirmation import ask_typed, count_spellings
    from contactctl.domain.errors import RefusedError
    from contactctl.operations.policy import apply_policy, propose_policy
    from contactctl.output.policy import POLICY_CHANGE_FIELDS, present_applied, present_proposal

    invocation.check_fields(*POLICY_CHANGE_FIELDS)
    with invocation.open_session() as session:
        proposal = propose_policy(session, _path(invocation, file))
        shown = present_proposal(proposal)
        if dry_run or not proposal.changes:
            return shown
        count = len(proposal.changes)
        if confirm is None:
            invocation.show_before_prompt(shown)
            question = f"Type the number of changes ({count}) to put them in force:"
            ask_typed(
                invocation.console, question, count_spellings(count), option=f"--confirm {count}"
            )
        elif confirm not in count_spellings(count):
            raise RefusedError(
                f"--confirm {confirm} is not the number of changes, {count}: nothing was changed",
                hint="`contactctl policy diff FILE` shows them",
                code="not-confirmed",
            )
        return present_applied(apply_policy(session, proposal, reason=invocation.reason))


def _path(invocation: StoreInvocation, file: Path) -> Path:
    return invocation.console.cwd / file
