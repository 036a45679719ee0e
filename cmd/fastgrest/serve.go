package main

import (
	"context"
	"io"

	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

func serverOptions(source config.LoadOptions, stdout, stderr io.Writer) server.Options {
	return server.Options{Source: source, Version: version, Stdout: stdout, Stderr: stderr}
}

// serve runs the server until ctx ends.
func serve(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.Run(ctx, serverOptions(source, stdout, stderr))
}

func dumpConfig(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpConfig(ctx, serverOptions(source, stdout, stderr))
}

func dumpSchema(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return server.DumpSchema(ctx, serverOptions(source, stdout, stderr))
}
