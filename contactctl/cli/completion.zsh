#compdef contactctl
_contactctl() {
    local -a candidates
    candidates=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \
        _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null)}")
    compset -P 1 '--*='  # what follows is completed alone
    compadd -a candidates || _files
}
compdef _contactctl contactctl
