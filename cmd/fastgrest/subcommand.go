package main

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/compare"
)

// terminal is what a command reads and writes.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// subcommand is a task besides serving. Its name is the first word on the command line, before all
// flags. A configuration file of that name needs a path, such as ./check.
type subcommand struct {
	name    string
	summary string // for the help: one line, lower case, without a full stop
	// run gets the words behind the name and the environment. The program prints the error, if it has
	// a text, and exits with 1, or with what an Exit method of the error says.
	run func(ctx context.Context, args, env []string, t terminal) error

	// These are for completion and the manual page. They may be nil.
	flags func() *pflag.FlagSet // what --help of the subcommand lists
	words func() []string       // the values of its first argument; nil: names of files
	// settings: every setting is a flag, too, which --help of the subcommand does not list.
	settings bool
}

// subcommands are listed in the help in this order.
func subcommands() []subcommand {
	return []subcommand{
		{name: "manual", summary: "show the manual, or its page TOPIC", run: showManual, words: topics},
		{name: "compare", summary: "replay requests on PostgREST and on fastgrest", run: func(ctx context.Context, args, _ []string, t terminal) error {
			return compare.Run(ctx, args, t.stdin, t.stdout, t.stderr)
		}, flags: compare.Flags, words: noWords},
		checkCommand,
		initCommand,
		{name: "completion", summary: "print a completion script for a shell", run: printCompletion, words: shells},
		{name: "man", summary: "print the manual page, for man -l", run: printManPage, words: noWords},
	}
}

// subcommandOf returns the subcommand that the command line asks for.
func subcommandOf(args []string) (c subcommand, found bool) {
	if len(args) == 0 {
		return subcommand{}, false
	}
	all := subcommands()
	i := slices.IndexFunc(all, func(c subcommand) bool { return c.name == args[0] })
	if i < 0 {
		return subcommand{}, false
	}
	return all[i], true
}
