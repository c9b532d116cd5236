"""The command `demo`."""

import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli.app import PROGRAM
from contactctl.cli.context import Invocation, StoreInvocation
from contactctl.cli.options import argument
from contactctl.domain.errors import RefusedError

if TYPE_CHECKING:
    from contactctl.operations.demo import DemoFolder
    from contactctl.operations.session import Session
    from contactctl.output.view import Presentation

DemoFolderArgument = Annotated[
    Path | None, argument("DIR", "Folder to create; default: ./contactctl-demo.")
]


def demo(invocation: Invocation, folder: DemoFolderArgument = None) -> "Presentation":
    """Examples:
        contactctl demo
        contactctl demo /tmp/try-it

    Shows what the prebuilt criteria would deactivate, and the impact. On a
    terminal it then asks for the typed confirmation, elsewhere it shows the next
    commands. Only the store in that folder is changed; a folder that already holds
    a demo is used again.
    """
    target = operations.demo.DemoFolder(invocation.console.cwd / (folder or "contactctl-demo"))
    in_folder = _invocation_in(invocation, target)
    _prepare(in_folder, target)
    with in_folder.open_session() as session:
        shown = _main_job(in_folder, session)
    return _with_next_steps(shown, _next_commands(invocation, target))


def _invocation_in(invocation: Invocation, target: "DemoFolder") -> StoreInvocation:
    """The same call on the folder's config and store, whatever the environment says."""
    given = {name: getattr(invocation, name) for name in invocation.options()}
    given |= {"config": target.config, "database": target.database_url}
    return StoreInvocation(invocation.console, invocation.command, given)


def _prepare(in_folder: StoreInvocation, target: "DemoFolder") -> None:
    if target.has_store:
        in_folder.console.note(f"using the demo that is already in {target.path}")
        return
    operations.demo.prepare_demo_folder(target, in_folder.now)
    with in_folder.open_session() as session:
        operations.demo.put_demo_policy_in_force(session, target)
    with in_folder.open_session() as session:  # bound by that policy
        created = operations.demo.import_demo_contacts(session, target)
    in_folder.console.note(f"created {created:,} sample contacts in {target.path}")


def _main_job(in_folder: StoreInvocation, session: "Session") -> "Presentation":
    """What `contactctl deactivate` does without flags; declining is fine, too."""
    from contactctl.cli.confirmation import make_change
    from contactctl.cli.deactivation import deactivation
    from contactctl.cli.options import Manner

    selection = operations.criteria.select_contacts(session, operations.criteria.CriteriaSource())
    if not in_folder.console.can_prompt:
        return output.criteria.present_dry_run(
            operations.criteria.preview(session, selection, with_members_lost=True)
        )
    try:
        change = deactivation(session, selection, reason="demo")
        return make_change(in_folder, session, Manner(), change)
    except RefusedError as declined:
        in_folder.console.note(declined.message)
        return replace(
            output.criteria.present_dry_run(operations.criteria.preview(session, selection)),
            blocks=(),
            notes=(),
        )


def _with_next_steps(shown: "Presentation", commands: list[str]) -> "Presentation":
    blocks = [*shown.blocks, output.view.Heading("Next"), output.view.Verbatim("\n".join(commands))]
    return replace(shown, data={**shown.data, "next": commands}, blocks=blocks)


def _next_commands(invocation: Invocation, target: "DemoFolder") -> list[str]:
    """Commands to copy; in the folder they find its config by themselves."""
    folder = os.path.relpath(target.path, invocation.console.cwd)
    program = shlex.quote(_program_from(target.path))
    return [
        *([] if folder == os.curdir else [f"cd {shlex.quote(folder)}"]),
        f"{program} preview --where 'last_opportunity older-than 36 months'",
        f"{program} preview --criteria stale.yaml",
        f"{program} deactivate",
        f"{program} status",
        f"{program} runs list",
    ]


def _program_from(folder: Path) -> str:
    """The program as it was called, for somebody who is in that folder."""
    called = sys.argv[0]
    if Path(called).name != PROGRAM or called == shutil.which(PROGRAM):
        return PROGRAM
    return called if Path(called).is_absolute() else os.path.relpath(called, folder)
