package main

import (
	"context"
	"io"

	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// serve runs the server until ctx ends. ready, if there is one, is called when it answers.
func serve(ctx context.Context, source config.LoadOptions, ready func(), stdout, stderr io.Writer) error {
	return server.Run(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr, Ready: ready})
}

// dumpConfig prints the configuration, with what the database adds to it. If the database has no
// say, there need not be one: the dump then works with any address, and with a pool of none.
func dumpConfig(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	c, err := config.Load(source)
	if err != nil {
		return err
	}
	if !c.DBConfig {
		_, err := stdout.Write(c.AppendDump(nil))
		return err
	}
	return server.DumpConfig(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr})
}

// dumpSchema prints the schema cache.
func dumpSchema(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpSchema(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr})
}
