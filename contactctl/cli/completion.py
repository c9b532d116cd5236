"""The command `completion`."""

from enum import StrEnum
from typing import Annotated

from contactctl.cli.context import Invocation
from contactctl.cli.options import argument
from contactctl.output.view import Presentation, Verbatim


class Shell(StrEnum):
    """The shells with a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# One protocol for all: words in, a candidate a line out; nothing from a store is eval'ed
_SCRIPTS = {
    Shell.BASH: """\
_contactctl() {
    # bash cuts --fields=a,b into three words
    local IFS=$'\\n' sign=$'\\n=\\n'
    local cut="${COMP_WORDS[*]}"
    local whole="${cut//"$sign"/=}"
    COMPREPLY=($(COMP_WORDS="$whole" COMP_CWORD=$((COMP_CWORD - ${#cut} + ${#whole})) \\
        _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null))
}
complete -o default -F _contactctl contactctl
""",
    Shell.ZSH: """\
#compdef contactctl
_contactctl() {
    local -a candidates
    candidates=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
        _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null)}")
    compset -P 1 '--*='  # what follows is completed alone
    compadd -a candidates || _files
}
compdef _contactctl contactctl
""",
    Shell.FISH: """\
function __contactctl_complete
    set --local words (commandline --tokenize --current-process --cut-at-cursor)
    set --local current (commandline --current-token)
    # what follows --option= is completed alone, but fish wants the whole word
    set --local option (string match --regex -- '^--[^=]+=' "$current")
    for candidate in (COMP_WORDS="$words $current" COMP_CWORD=(count $words) \\
            _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null)
        echo -- "$option$candidate"
    end
end
complete --command contactctl --arguments '(__contactctl_complete)'
""",
}

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
    script = _SCRIPTS[shell]
    is_looked_at = invocation.console.stdout_is_tty  # and not on its way into a shell's start-up
    return Presentation(
        data={"shell": shell, "script": script},
        blocks=[Verbatim(script)],
        notes=[_HOW_TO_INSTALL[shell]] if is_looked_at else [],
    )
