package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	flags.BoolVarP(&o.version, "version", "v", false, "Prints the version.")
	flags.BoolVarP(&o.help, "help", "h", false, "Prints this help.")
	flags.BoolVarP(&o.example, "example", "e", false, "Prints an example configuration file.")
	flags.StringVar(&o.dumpConfig, "dump-config", "", "Prints the configuration in force. With --dump-config=all it includes the settings that PostgREST does not have.")
	dump := flags.Lookup("dump-config")
	dump.NoOptDefVal = "compatible"
	dump.Annotations = map[string][]string{config.ChoicesAnnotation: {"all"}}
	flags.BoolVar(&o.dumpSchema, "dump-schema", false, "Prints the schema cache as JSON. Its structure may change.")
	flags.BoolVar(&o.ready, "ready", false, "Asks the admin server of a running fastgrest whether it is ready.")
	flags.BoolVar(&o.demo.on, "demo", false, "Serves a private database with demo data.")
	flags.StringVar(&o.demo.dir, "demo-dir", "", "Sets the `directory` of the demo's database. By default it is in the user's cache.")
	flags.StringVar(&o.demo.programs, "demo-pg-bin", "", "Sets the `directory` of the PostgreSQL programs for the demo. By default it uses those that are installed.")
}

// flagSets returns the flags of the program and those of the configuration.
func (o *options) flagSets() (own, settings *pflag.FlagSet) {
	own = pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
	own.SortFlags = false
	o.register(own)
	settings = pflag.NewFlagSet("settings", pflag.ContinueOnError)
	config.RegisterFlags(settings)
	return own, settings
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
	code := 1
	var chosen interface{ Exit() int }
	if errors.As(err, &chosen) {
		code = chosen.Exit()
	}
	if server.Logged(err) || err.Error() == "" {
		return code
	}
	prefix := "ERROR: "
	if errors.As(err, new(*config.Error)) {
		prefix = "" // begins with "Error in config"
	}
	fmt.Fprintf(stderr, "%s%v%s\n", prefix, err, commandHint(args, err))
	return code
}

// commandHint is a hint for a word that is neither a command nor a file.
func commandHint(args []string, err error) string {
	if len(args) == 0 || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errManyFiles) {
		return ""
	}
	if strings.HasPrefix(args[0], "postgres://") || strings.HasPrefix(args[0], "postgresql://") {
		return "; a connection string is the value of --db-uri"
	}
	if _, found := subcommandOf(args); found || strings.ContainsAny(args[0], "-./\\") {
		return ""
	}
	var names []string
	for _, c := range subcommands() {
		names = append(names, c.name)
	}
	if near := config.Nearest(args[0], names); near != "" {
		return "; did you mean the command " + near + "?"
	}
	return " (fastgrest --help lists the commands)"
}

func dispatch(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	if c, found := subcommandOf(args); found {
		return c.run(ctx, args[1:], env, terminal{stdin: os.Stdin, stdout: stdout, stderr: stderr})
	}
	var o options
	own, settings := o.flagSets()
	source, err := readSource("--help", own, args, env)
	if err != nil {
		return err
	}
	if err := o.onlyOne(); err != nil {
		return err
	}

	switch {
	case o.help:
		return printHelp(stdout, own, settings)
	case o.version:
		_, err := fmt.Fprintf(stdout, "fastgrest %s (PostgREST %s compatible)\n", version, server.CompatibleVersion)
		return err
	case o.example:
		_, err := io.WriteString(stdout, config.Example)
		return err
	}

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
