_contactctl() {
    # bash cuts --fields=a,b into three words
    local IFS=$'\n' sign=$'\n=\n'
    local cut="${COMP_WORDS[*]}"
    local whole="${cut//"$sign"/=}"
    COMPREPLY=($(COMP_WORDS="$whole" COMP_CWORD=$((COMP_CWORD - ${#cut} + ${#whole})) \
        _CONTACTCTL_COMPLETE=complete_bash contactctl 2>/dev/null))
}
complete -o default -F _contactctl contactctl
