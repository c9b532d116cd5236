function __contactctl_complete
    set --local words (commandline --tokenize --current-process --cut-at-cursor)
    set --local current (commandline --current-token)
    COMP_WORDS="$words $current" COMP_CWORD=(count $words) \
        _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null
end
complete --command contactctl --arguments '(__contactctl_complete)'
