package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/complete"
	"github.com/fastgrest/fastgrest/server/config"
)

func shells() []string { return []string{"bash", "zsh", "fish"} }

// noWords are the values of the first argument of a subcommand that takes no arguments.
func noWords() []string { return []string{} }

const completionUsage = `Usage: fastgrest completion bash|zsh|fish

Prints a script that completes command lines in a shell. Save it to a file that
the shell reads:

  bash  ~/.local/share/bash-completion/completions/fastgrest
  zsh   _fastgrest in a directory of fpath
  fish  ~/.config/fish/completions/fastgrest.fish
`

// printCompletion is the subcommand completion.
func printCompletion(_ context.Context, args, _ []string, t terminal) error {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		_, err := fmt.Fprint(t.stdout, completionUsage)
		return err
	}
	if len(args) != 1 {
		return errors.New("give one shell: " + strings.Join(shells(), ", "))
	}
	p := commandLine(subcommands())
	var script string
	switch args[0] {
	case "bash":
		script = p.Bash()
	case "zsh":
		script = p.Zsh()
	case "fish":
		script = p.Fish()
	default:
		return fmt.Errorf("there is no completion for %s; give one shell: %s", args[0], strings.Join(shells(), ", "))
	}
	_, err := io.WriteString(t.stdout, script)
	return err
}

// commandLine describes the command line of the program with these subcommands.
func commandLine(list []subcommand) *complete.Program {
	own, settings := new(options).flagSets()
	p := &complete.Program{Name: "fastgrest", Main: complete.Command{Files: true}}
	p.Main.Flags = appendFlags(appendFlags(nil, own), settings)
	for _, c := range list {
		command := complete.Command{Name: c.name, Summary: c.summary, Files: c.words == nil}
		if c.flags != nil {
			command.Flags = appendFlags(nil, c.flags())
		}
		if c.settings {
			command.Flags = appendFlags(command.Flags, settings)
		}
		if c.words != nil {
			command.Words = c.words()
		}
		if !slices.ContainsFunc(command.Flags, func(f complete.Flag) bool { return f.Name == "help" }) {
			command.Flags = append(command.Flags, complete.Flag{Name: "help", Shorthand: "h", Summary: "Prints the help"})
		}
		p.Commands = append(p.Commands, command)
	}
	return p
}

// files are the kinds of values that name a file, in the help of subcommands.
var files = map[string]string{"FILE": "file", "FOLDER": "directory"}

func appendFlags(list []complete.Flag, set *pflag.FlagSet) []complete.Flag {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, text := flagText(f)
		_, optional := f.Annotations[config.OptionalAnnotation]
		flag := complete.Flag{
			Name: f.Name, Shorthand: f.Shorthand, Summary: summary(text), Kind: cmp.Or(files[kind], kind),
			Choices: f.Annotations[config.ChoicesAnnotation], Repeated: strings.HasSuffix(f.Value.Type(), "Array"),
		}
		switch {
		case f.Value.Type() == "bool":
			flag.Value = complete.NoValue
		case f.NoOptDefVal != "":
			flag.Value = complete.Joined
		case optional:
			flag.Value = complete.Optional
		default:
			flag.Value = complete.Required
		}
		list = append(list, flag)
	})
	return list
}

// flagText returns the kind of the value of a flag, and its help.
func flagText(f *pflag.Flag) (kind, text string) {
	kind, text = pflag.UnquoteUsage(f)
	return kind, strings.TrimPrefix(text, kind+": ")
}

// summary is the first sentence of a help text, without its full stop and the default.
func summary(text string) string {
	text, _, _ = strings.Cut(text, ". ")
	text, _, _ = strings.Cut(text, " (default ")
	return strings.TrimSuffix(text, ".")
}
