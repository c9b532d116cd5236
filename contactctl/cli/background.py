"""Continue a run in its own process, which outlives this terminal."""

import os
import subprocess
from typing import TYPE_CHECKING

from contactctl.cli.context import StoreInvocation
from contactctl.operations.own_process import own_process

if TYPE_CHECKING:
    from contactctl.domain.runs import Run


def finish_in_background(invocation: StoreInvocation, run: "Run") -> None:
    """Start `runs resume N --yes`, detached. The URL, with its password, goes by environment."""
    program = own_process("from contactctl.__main__ import main; main()")
    command = [*program, "runs", "resume", str(run.id), "--yes"]
    if invocation.config_file is not None:
        command += ["--config", str(invocation.config_file)]  # unchanged: the folder is the same
    environment = {
        **os.environ,
        **invocation.console.environ,
        "CONTACTCTL_DATABASE_URL": invocation.settings.database,
    }
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=invocation.console.cwd,
        start_new_session=True,
    )
