package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// options are the flags of the program. Package config has the flags of the configuration.
type options struct {
	version    bool
	help       bool
	example    bool
	dumpConfig string
	dumpSchema bool
	ready      bool
	demo       demoOptions
}

func (o *options) register(flags *pflag.FlagSet) {
	flags.BoolVarP(&o.version, "version", "v", false, "show the version")
	flags.BoolVarP(&o.help, "help", "h", false, "show this help")
	flags.BoolVarP(&o.example, "example", "e", false, "show an example configuration file")
	flags.StringVar(&o.dumpConfig, "dump-config", "", "show the configuration in force; --dump-config=all shows what PostgREST does not have, too, if it is at its default")
	flags.Lookup("dump-config").NoOptDefVal = "compatible"
	flags.BoolVar(&o.dumpSchema, "dump-schema", false, "show the schema cache as JSON (its structure may change)")
	flags.BoolVar(&o.ready, "ready", false, "ask the admin server of a running fastgrest whether it is ready")
	flags.BoolVar(&o.demo.on, "demo", false, "serve a private database with demo data")
	flags.StringVar(&o.demo.dir, "demo-dir", "", "folder of the demo's database (default: in the user's cache)")
	flags.StringVar(&o.demo.programs, "demo-pg-bin", "", "folder of the PostgreSQL server programs (default: found)")
}

// onlyOne returns an error if the flags ask for several tasks. --help, --version and --example win
// over all others.
func (o *options) onlyOne() error {
	var given []string
	for _, f := range []struct {
		name string
		on   bool
	}{{"--dump-config", o.dumpConfig != ""}, {"--dump-schema", o.dumpSchema}, {"--ready", o.ready}, {"--demo", o.demo.on}} {
		if f.on {
			given = append(given, f.name)
		}
	}
	if len(given) > 1 && !o.help && !o.version && !o.example {
		return fmt.Errorf("%s cannot be combined; give one of them", strings.Join(given, " and "))
	}
	if o.dumpConfig != "" && o.dumpConfig != "compatible" && o.dumpConfig != "all" {
		return fmt.Errorf("--dump-config is %q, and can be: all", o.dumpConfig)
	}
	return nil
}

// run is the program without os.Exit. It returns the exit code.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, env, stdout, stderr)
	if err == nil {
		return 0
	}
	if server.Logged(err) {
		return 1
	}
	prefix := "ERROR: "
	if errors.As(err, new(*config.Error)) {
		prefix = "" // begins with "Error in config"
	}
	fmt.Fprintf(stderr, "%s%v\n", prefix, err)
	return 1
}

func dispatch(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	var o options
	own := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
	own.SortFlags = false
	o.register(own)
	settings := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	config.RegisterFlags(settings)

	all := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
	all.SetOutput(io.Discard) // run prints the error
	all.AddFlagSet(own)
	all.AddFlagSet(settings)
	if err := all.Parse(config.JoinBooleans(all, args)); err != nil {
		return fmt.Errorf("%w (--help lists the flags)", config.ExplainFlagError(all, err))
	}
	if all.NArg() > 1 {
		return fmt.Errorf("there can be one configuration file only, not %q too", all.Arg(1))
	}

	if err := o.onlyOne(); err != nil {
		return err
	}

	switch {
	case o.help:
		return printHelp(stdout, own, settings)
	case o.version:
		_, err := fmt.Fprintf(stdout, "fastgrest %s (PostgREST 16 compatible)\n", version)
		return err
	case o.example:
		_, err := io.WriteString(stdout, config.Example)
		return err
	}

	source := config.LoadOptions{File: all.Arg(0), Env: env, Flags: config.FlagValues(all)}
	if o.demo.on {
		if source.File != "" {
			return errors.New("--demo brings its own configuration; it takes flags but no file")
		}
		return o.demo.run(ctx, source.Flags, stdout, stderr)
	}
	switch {
	case o.ready:
		c, err := config.Load(source)
		if err != nil {
			return err
		}
		if err := checkReady(ctx, c, stdout); err != nil {
			printWarnings(stderr, c) // a setting without effect may be the reason
			return err
		}
		return nil
	case o.dumpConfig != "":
		return dumpConfig(ctx, source, o.dumpConfig == "all", stdout, stderr)
	case o.dumpSchema:
		return dumpSchema(ctx, source, stdout, stderr)
	}
	return serve(ctx, source, nil, stdout, stderr)
}
