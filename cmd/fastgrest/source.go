package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/server/config"
)

var errManyFiles = errors.New("there can be one configuration file only")

// readSource parses a command line that has the configuration: settings as flags, and at most one file. own has the
// other flags, and help is the command that lists all flags.
func readSource(help string, own *pflag.FlagSet, args, env []string) (config.LoadOptions, error) {
	all := pflag.NewFlagSet(own.Name(), pflag.ContinueOnError)
	all.SetOutput(io.Discard) // run prints the error
	all.AddFlagSet(own)
	config.RegisterFlags(all)
	err := all.Parse(config.JoinBooleans(all, args))
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return config.LoadOptions{}, err
	case err != nil:
		return config.LoadOptions{}, fmt.Errorf("%w (%s lists the flags)", config.ExplainFlagError(all, err), help)
	case all.NArg() > 1:
		return config.LoadOptions{}, fmt.Errorf("%w, not %q too", errManyFiles, all.Arg(1))
	}
	return config.LoadOptions{File: all.Arg(0), Env: env, Flags: config.FlagValues(all)}, nil
}
