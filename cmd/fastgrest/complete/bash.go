package complete

import (
	"fmt"
	"slices"
	"strings"
)

// Bash returns a script for bash.
func (p *Program) Bash() string {
	b := &strings.Builder{}
	function := "_" + p.Name
	fmt.Fprintf(b, "# Completion of %s for bash.\n\n%s() {\n%s", p.Name, function, bashBegin)
	for i := range p.Commands {
		c := &p.Commands[i]
		fmt.Fprintf(b, "    %s)\n", c.Name)
		c.bash(b)
	}
	b.WriteString("    *)\n")
	p.Main.bash(b)
	var names []string
	for i := range p.Commands {
		names = append(names, p.Commands[i].Name)
	}
	fmt.Fprintf(b, bashEnd, strings.Join(names, " "), function, p.Name)
	return b.String()
}

// bashBegin finds the flag that the word at the cursor may be the value of. In COMP_WORDS "=" is a word by
// itself, except in bash 3.2 and if the user has removed it from COMP_WORDBREAKS. Then --flag=value is one
// word. A completion replaces what follows "=" if that is in COMP_WORDBREAKS, and else the whole word.
const bashBegin = `    local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} command=
    local joined= prefix= flags= words= files= takes= values= kind=
    if [[ $cur == '=' ]]; then
        cur= joined=yes
    elif [[ $flag == '=' ]]; then
        flag=${COMP_WORDS[COMP_CWORD-2]} joined=yes
    elif [[ $cur == --*=* ]]; then
        flag=${cur%%=*} cur=${cur#*=} joined=yes
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=$flag=
    fi
    (( COMP_CWORD > 1 )) && command=${COMP_WORDS[1]}
    case $command in
`

// bashEnd has the subcommands, the function and the program.
const bashEnd = `    esac
    if (( COMP_CWORD == 1 )); then
        words='%s'
    elif (( COMP_CWORD != 2 )); then
        words=
    fi

    COMPREPLY=()
    if [[ $joined || $takes == required ]]; then
        COMPREPLY=($(compgen -P "$prefix" -W "$values" -- "$cur"))
        files=$kind
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$cur"))
        files=
    else
        [[ $takes == optional ]] && words="$words $values"
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
    fi
    local IFS=$'\n' # names of files may have spaces
    case $files in
    file) COMPREPLY+=($(compgen -P "$prefix" -f -- "$cur")) ;;
    directory) COMPREPLY+=($(compgen -P "$prefix" -d -- "$cur")) ;;
    *) return ;;
    esac
    compopt -o filenames 2>/dev/null # bash 3.2 has no compopt
}
complete -F %s %s
`

// bash has the cases of a command.
func (c *Command) bash(b *strings.Builder) {
	var names []string
	cases := map[string][]string{} // the flags of an assignment
	var order []string
	for i := range c.Flags {
		f := &c.Flags[i]
		names = append(names, f.names()...)
		set := f.bashValue()
		if set == "" {
			continue
		}
		if cases[set] == nil {
			order = append(order, set)
		}
		cases[set] = append(cases[set], f.names()...)
	}
	fmt.Fprintf(b, "        flags='%s'\n", folded(names, " ", ""))
	if len(c.Words) > 0 {
		fmt.Fprintf(b, "        words='%s'\n", strings.Join(c.Words, " "))
	}
	if c.Files {
		b.WriteString("        files=file\n")
	}
	if len(order) > 0 {
		b.WriteString("        case $flag in\n")
		for _, set := range order {
			fmt.Fprintf(b, "        %s) %s ;;\n", folded(cases[set], "|", `\`), set)
		}
		b.WriteString("        esac\n")
	}
	b.WriteString("        ;;\n")
}

// bashValue are the assignments for the value of a flag.
func (f *Flag) bashValue() string {
	takes, ok := map[Value]string{Joined: "joined", Optional: "optional", Required: "required"}[f.Value]
	if !ok {
		return ""
	}
	set := "takes=" + takes
	if len(f.Choices) > 0 {
		set += " values='" + strings.Join(f.Choices, " ") + "'"
	}
	if slices.Contains([]string{"file", "directory"}, f.Kind) {
		set += " kind=" + f.Kind
	}
	return set
}

// folded joins words in lines of less than 100 columns. All but the last line end in the text end.
func folded(words []string, separator, end string) string {
	var b strings.Builder
	column := 0
	for i, w := range words {
		column += len(separator) + len(w)
		switch {
		case i == 0:
		case column > 90:
			b.WriteString(strings.TrimRight(separator, " ") + end + "\n        ")
			column = len(w)
		default:
			b.WriteString(separator)
		}
		b.WriteString(w)
	}
	return b.String()
}
