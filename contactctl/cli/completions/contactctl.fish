function __contactctl_complete
    set --local words (commandline --tokenize --current-process --cut-at-cursor)
    set --local current (commandline --current-token)
    # what follows --option= is completed alone, but fish wants the whole word
    set --local option (string match --regex -- '^--[^=]+=' "$current")
    for candidate in (COMP_WORDS="$words $current" COMP_CWORD=(count $words) \
            _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null)
        echo -- "$option$candidate"
    end
end
complete --command contactctl --arguments '(__contactctl_complete)'
