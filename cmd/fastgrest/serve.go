package main

import (
	"context"
	"fmt"
	"io"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/manual"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// serve runs the server until ctx ends. It calls ready, which may be nil, when the server accepts requests.
func serve(ctx context.Context, source config.LoadOptions, ready func(), stdout, stderr io.Writer) error {
	return server.Run(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr, Manual: manual.New(), Ready: ready})
}

// dumpConfig prints the configuration, including the settings stored in the database. Without
// db-config it needs no database.
func dumpConfig(ctx context.Context, source config.LoadOptions, all bool, stdout, stderr io.Writer) error {
	c, err := config.Load(source)
	if err != nil {
		return err
	}
	if !c.DBConfig {
		printWarnings(stderr, c)
		_, err := stdout.Write(c.AppendDump(nil, all))
		return err
	}
	return server.DumpConfig(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr}, all)
}

// dumpSchema prints the schema cache.
func dumpSchema(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpSchema(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr})
}

func printWarnings(stderr io.Writer, c *config.Config) {
	for _, w := range c.Warnings {
		fmt.Fprintln(stderr, "WARNING:", w)
	}
}
