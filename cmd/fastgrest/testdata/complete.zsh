# Prints the completions of a command line: zsh -f complete.zsh SCRIPT LINE
# An inner shell runs the completion. Its compadd prints the matches that it adds.
zmodload zsh/zpty
zpty inner zsh -f -i
setup='
PS1= PS2=
autoload -Uz compinit && compinit -u -D
source "$1"
compadd() {
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a matches
        builtin compadd -A matches "$@"
        print -rl -- "match:"${^matches}
    fi
    builtin compadd "$@"
}
finish() { print -r -- "done:" }
comppostfuncs=(finish)
zle -C list-matches list-choices _main_complete
bindkey "^T" list-matches
stty -echo
print -r -- "ready:"
'
file=$(mktemp) && print -r -- $setup > $file
zpty -w inner "source $file ${(q)1}"
zpty -r inner output '*ready:*'
rm -f $file
zpty -wn inner "$2"$'\x14'
zpty -r inner output '*done:*'
print -r -- "$output" | tr -d '\r' | sed -n 's/^.*match://p'
