"""The command `completion`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from contactctl.cli.context import Invocation
from contactctl.cli.options import argument
from contactctl.output.view import Presentation, Verbatim


class Shell(StrEnum):
    """The shells with a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# by the names under which the shells look for them; the wheel installs the same files below share/
_SCRIPTS = {Shell.BASH: "contactctl", Shell.ZSH: "_contactctl", Shell.FISH: "contactctl.fish"}
_HOW_TO_INSTALL = {
    Shell.BASH: 'add to ~/.bashrc: eval "$(contactctl completion bash)"',
    Shell.ZSH: 'add to ~/.zshrc, after compinit: eval "$(contactctl completion zsh)"',
    Shell.FISH: "contactctl completion fish > ~/.config/fish/completions/contactctl.fish",
}


def completion(
    invocation: Invocation,
    shell: Annotated[Shell, argument("SHELL", "bash, zsh or fish.")],
) -> Presentation:
    """Examples:
        eval "$(contactctl completion bash)"
        eval "$(contactctl completion zsh)"
        contactctl completion fish > ~/.config/fish/completions/contactctl.fish

    Commands, options and their values are completed; group names and run
    numbers too, if the store answers at once.
    """
    # one protocol for all: words in, a candidate a line out; nothing from a store is eval'ed
    script = (Path(__file__).with_name("completions") / _SCRIPTS[shell]).read_text("utf-8")
    is_looked_at = invocation.console.stdout_is_tty  # and not on its way into a shell's start-up
    return Presentation(
        data={"shell": shell, "script": script},
        blocks=[Verbatim(script)],
        notes=[_HOW_TO_INSTALL[shell]] if is_looked_at else [],
    )
