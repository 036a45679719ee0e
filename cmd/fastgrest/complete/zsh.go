package complete

import (
	"fmt"
	"strings"
)

// Zsh returns a script for zsh. It can be a file _NAME in fpath, or be sourced.
func (p *Program) Zsh() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "#compdef %s\n# Completion of %[1]s for zsh.\n\n_%[1]s() {\n", p.Name)
	b.WriteString("    if (( CURRENT > 2 )); then\n        case $words[2] in\n")
	for i := range p.Commands {
		c := &p.Commands[i]
		fmt.Fprintf(b, "        %s)\n            shift words\n            (( CURRENT-- ))\n            _arguments", c.Name)
		c.zsh(b, "                ", "_files")
		b.WriteString("            return ;;\n")
	}
	b.WriteString("        esac\n    fi\n    _arguments")
	p.Main.zsh(b, "        ", fmt.Sprintf("_%s_first", p.Name))
	fmt.Fprintf(b, "}\n\n# The first argument is a command or a file.\n_%s_first() {\n    if (( CURRENT == 2 )); then\n        local -a commands=(\n", p.Name)
	for i := range p.Commands {
		c := &p.Commands[i]
		fmt.Fprintf(b, "            %s\n", quote(c.Name+":"+zshText.Replace(c.Summary)))
	}
	fmt.Fprintf(b, "        )\n        _describe -t commands command commands\n    fi\n    _files\n}\n\n")
	fmt.Fprintf(b, "if [[ $funcstack[1] == _%s ]]; then\n    _%[1]s \"$@\"\nelse\n    compdef _%[1]s %[1]s\nfi\n", p.Name)
	return b.String()
}

var zshText = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)

// zsh has the specifications of a command for _arguments.
func (c *Command) zsh(b *strings.Builder, margin, files string) {
	add := func(spec string) { b.WriteString(" \\\n" + margin + spec) }
	for i := range c.Flags {
		add(c.Flags[i].zsh())
	}
	if len(c.Words) > 0 {
		add(quote("1:argument:(" + strings.Join(c.Words, " ") + ")"))
	}
	if c.Files {
		add(quote("*:file:" + files))
	}
	b.WriteString("\n")
}

func (f *Flag) zsh() string {
	action := ""
	switch {
	case len(f.Choices) > 0:
		action = "(" + strings.Join(f.Choices, " ") + ")"
	case f.Kind == "file":
		action = "_files"
	case f.Kind == "directory":
		action = "_files -/"
	}
	sign, value := "", ""
	argument := zshText.Replace(f.Kind) + ":" + action
	switch f.Value {
	case Joined:
		sign, value = "=-", "::"+argument
	case Optional:
		sign, value = "=", "::"+argument
	case Required:
		sign, value = "=", ":"+argument
	}
	rest := sign + "[" + zshText.Replace(f.Summary) + "]" + value
	switch {
	case f.Shorthand != "": // {-v,--version} is two specifications, of which one can be given
		return fmt.Sprintf("'(-%s --%s)'{-%[1]s,--%[2]s}%s", f.Shorthand, f.Name, quote(rest))
	case f.Repeated:
		return quote("*--" + f.Name + rest)
	}
	return quote("--" + f.Name + rest)
}
