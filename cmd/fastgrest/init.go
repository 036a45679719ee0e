package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/starter"
)

var initCommand = subcommand{name: "init", summary: "print SQL for roles, and a configuration", run: runInit,
	flags: func() *pflag.FlagSet { return new(initFlags).set() }, words: func() []string { return []string{"sql", "config"} }}

const initUsage = `Usage: fastgrest init sql [flags]             print SQL for roles and a schema
       fastgrest init config [flags]          print a configuration
       fastgrest init --dir FOLDER [flags]    write both, with a password

Begins a new API. Nothing is changed in a database: pipe the SQL into psql.
With --dir a password and a secret for tokens are made, roles.sql and
fastgrest.conf are written, and no file is ever overwritten.

Flags:
%s`

// initFlags are the flags of init.
type initFlags struct {
	dir     string
	options starter.Options
}

func (f *initFlags) set() *pflag.FlagSet {
	o := &f.options
	flags := pflag.NewFlagSet("init", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {}
	flags.StringVar(&f.dir, "dir", "", "`FOLDER` for roles.sql and fastgrest.conf")
	flags.StringVar(&o.URI, "db-uri", "postgresql://localhost/app", "`URL` of the database, without user and password")
	flags.StringVar(&o.Schema, "schema", "api", "`NAME` of the schema that clients see")
	flags.StringVar(&o.AnonRole, "anon-role", "web_anon", "`NAME` of the role of requests without a token")
	flags.StringVar(&o.UserRole, "user-role", "web_user", "`NAME` of the role of requests with a token")
	flags.StringVar(&o.Authenticator, "authenticator", "authenticator", "`NAME` of the role that the server connects as")
	return flags
}

// runInit is the subcommand init.
func runInit(_ context.Context, args, _ []string, t terminal) error {
	var f initFlags
	flags := f.set()
	flags.SetOutput(t.stderr)
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		_, err = fmt.Fprintf(t.stdout, initUsage, describe(flags))
		return err
	case err != nil:
		return fmt.Errorf("%w (fastgrest init --help lists the flags)", err)
	}
	what := flags.Arg(0)
	if flags.NArg() > 1 || (f.dir == "") == (what == "") {
		return errors.New("fastgrest init takes one of: sql, config, --dir FOLDER")
	}
	o := f.options
	o.JWTSecret = starter.Secret()
	if f.dir != "" {
		return initFolder(f.dir, o, t)
	}
	document := map[string]func(starter.Options) ([]byte, error){"sql": starter.SQL, "config": starter.Config}[what]
	if document == nil {
		return fmt.Errorf("there is no init %q; it takes one of: sql, config, --dir FOLDER", what)
	}
	text, err := document(o)
	if err != nil {
		return err
	}
	_, err = t.stdout.Write(text)
	return err
}

// initFolder writes both documents.
func initFolder(dir string, o starter.Options, t terminal) error {
	o.Password = starter.Secret()
	sql, err := starter.SQL(o)
	if err != nil {
		return err
	}
	conf, err := starter.Config(o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	roles, settings := filepath.Join(dir, "roles.sql"), filepath.Join(dir, "fastgrest.conf")
	for _, path := range []string{roles, settings} {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists; init never overwrites a file", path)
		}
	}
	if err := writeNew(roles, sql); err != nil {
		return err
	}
	if err := writeNew(settings, conf); err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.stdout, `Next:
    psql -v ON_ERROR_STOP=1 -f %[1]s %[2]s
    fastgrest check %[3]s
    fastgrest %[3]s
`, quote(roles), quote(o.URI), quote(settings))
	return err
}

// writeNew writes a file that only its owner can read, and that does not exist yet.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
