package complete

import (
	"fmt"
	"strings"
)

// Fish returns a script for fish.
func (p *Program) Fish() string {
	b := &strings.Builder{}
	var names []string
	for i := range p.Commands {
		names = append(names, p.Commands[i].Name)
	}
	fmt.Fprintf(b, fishBegin, p.Name, strings.Join(names, " "))
	for i := range p.Commands {
		c := &p.Commands[i]
		fmt.Fprintf(b, "complete -c %s -n '__%[1]s_first' -a %s -d %s\n", p.Name, c.Name, fishQuote(c.Summary))
	}
	p.Main.fish(b, p.Name, "main")
	for i := range p.Commands {
		p.Commands[i].fish(b, p.Name, p.Commands[i].Name)
	}
	return b.String()
}

const fishBegin = `# Completion of %s for fish.

# The word at the cursor is the first argument.
function __%[1]s_first
    test (count (commandline -opc)) -eq 1
end

# The command line is that of a subcommand, or of the program itself (main).
function __%[1]s_is
    set -l words (commandline -opc)
    set -l command main
    if set -q words[2]; and contains -- $words[2] %[2]s
        set command $words[2]
    end
    test $command = $argv[1]
end

complete -c %[1]s -f
`

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// fish has the lines of a command. Names of files do not complete the value of a flag that has others.
func (c *Command) fish(b *strings.Builder, program, name string) {
	begin := fmt.Sprintf("complete -c %s -n '__%[1]s_is %s'", program, name)
	for i := range c.Flags {
		fmt.Fprintf(b, "%s%s\n", begin, c.Flags[i].fish())
	}
	if len(c.Words) > 0 {
		fmt.Fprintf(b, "%s -a %s\n", begin, fishQuote(strings.Join(c.Words, " ")))
	}
	if c.Files {
		fmt.Fprintf(b, "complete -c %s -n '__%[1]s_is %s; and not string match -q -- \"-*\" (commandline -ct)' -F\n", program, name)
	}
}

func (f *Flag) fish() string {
	line := " -l " + f.Name
	if f.Shorthand != "" {
		line += " -s " + f.Shorthand
	}
	values := ""
	switch {
	case len(f.Choices) > 0:
		values = " -a " + fishQuote(strings.Join(f.Choices, " "))
	case f.Kind == "directory":
		values = " -a '(__fish_complete_directories)'"
	}
	switch {
	case f.Value == Required && f.Kind == "file":
		line += " -r -F"
	case f.Value == Required:
		line += " -x" + values
	default:
		line += values
	}
	return line + " -d " + fishQuote(f.Summary)
}
