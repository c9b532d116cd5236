"""The commands below `policy`."""

from pathlib import Path
from typing import Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.context import ReasonedInvocation, StoreInvocation
from contactctl.cli.options import argument, option
from contactctl.output.view import Presentation, document

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

    with invocation.open_session() as session:
        policy = operations.policy.read_policy(session)
        return output.policy.present_policy(policy, as_yaml(policy.document))


def export(invocation: StoreInvocation) -> Presentation:
    """Examples:
    contactctl policy export > policy.yaml
    """
    from contactctl.config.policy import as_yaml

    with invocation.open_session() as session:
        policy = operations.policy.read_policy(session)
        text = as_yaml(policy.document)
        return document(text, policy=policy.number, yaml=text)


def diff(invocation: StoreInvocation, file: File) -> Presentation:
    """Examples:
    contactctl policy diff policy.yaml
    """
    invocation.check_fields(*output.policy.POLICY_CHANGE_FIELDS)
    with invocation.open_session() as session:
        return output.policy.present_proposal(
            operations.policy.propose_policy(session, _path(invocation, file)), differs=True
        )


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

    invocation.check_fields(*output.policy.POLICY_CHANGE_FIELDS)
    with invocation.open_session() as session:
        proposal = operations.policy.propose_policy(session, _path(invocation, file))
        shown = output.policy.present_proposal(proposal)
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
        return output.policy.present_applied(
            operations.policy.apply_policy(session, proposal, reason=invocation.reason)
        )


def _path(invocation: StoreInvocation, file: Path) -> Path:
    return invocation.console.cwd / file
