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

// dumpConfig prints the configuration, with what the database adds to it.
func dumpConfig(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpConfig(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr})
}

// dumpSchema prints the schema cache.
func dumpSchema(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpSchema(ctx, server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr})
}
