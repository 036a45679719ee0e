package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/check"
	"github.com/fastgrest/fastgrest/server/config"
)

var checkCommand = subcommand{name: "check", summary: "look for faults in configuration and database", run: runCheck,
	flags: func() *pflag.FlagSet { return new(checkFlags).set() }, settings: true}

const checkUsage = `Usage: fastgrest check [flags] [FILENAME]

Looks for faults in the configuration and in the database that it names. Takes
the configuration as serving does: FILENAME, PGRST_* variables, and every
setting as a flag (fastgrest --help lists them). Changes nothing. The exit code
is 1 if there are errors.

Flags:
%s`

// checkFlags are the flags of check, besides the settings.
type checkFlags struct {
	format string
	strict bool
	skip   []string
}

func (f *checkFlags) set() *pflag.FlagSet {
	flags := pflag.NewFlagSet("check", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&f.format, "format", "text", "`FORMAT`: text or json")
	_ = flags.SetAnnotation("format", config.ChoicesAnnotation, []string{"text", "json"}) // the flag exists
	flags.BoolVar(&f.strict, "strict", false, "exit code 1 if there are warnings, too")
	flags.StringSliceVar(&f.skip, "skip", nil, "`NAMES` of checks to leave out, separated by commas")
	_ = flags.SetAnnotation("skip", config.ChoicesAnnotation, check.Names())
	return flags
}

// errReported makes the exit code 1. It has no text, because the report ends with the number of errors.
var errReported = errors.New("")

// runCheck is the subcommand check.
func runCheck(ctx context.Context, args, env []string, t terminal) error {
	var f checkFlags
	flags := f.set()
	source, err := readSource("fastgrest check --help", flags, args, env)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		_, err = fmt.Fprintf(t.stdout, checkUsage, describe(flags))
		return err
	case err != nil:
		return err
	case f.format != "text" && f.format != "json":
		return fmt.Errorf("--format is %q, and can be: text, json", f.format)
	}
	for _, name := range f.skip {
		if !slices.Contains(check.Names(), name) {
			return fmt.Errorf("--skip has %q, and can have: %s", name, strings.Join(check.Names(), ", "))
		}
	}
	report, err := check.Run(ctx, check.Options{Source: source, Version: version, Skip: f.skip})
	if err != nil {
		return fmt.Errorf("cannot check: %w", err)
	}
	write := report.WriteText
	if f.format == "json" {
		write = report.WriteJSON
	}
	if err := write(t.stdout); err != nil {
		return err
	}
	if report.Count(check.Error) > 0 || f.strict && report.Count(check.Warning) > 0 {
		return errReported
	}
	return nil
}
