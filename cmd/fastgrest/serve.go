package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fastgrest/fastgrest/server/config"
)

// serve runs the server until ctx ends.
func serve(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	if _, err := config.Load(source); err != nil {
		return err
	}
	return errors.New("this build has no server")
}

func dumpConfig(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	c, err := config.Load(source)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s", c.AppendDump(nil))
	return err
}

func dumpSchema(ctx context.Context, source config.LoadOptions, stdout, stderr io.Writer) error {
	return serve(ctx, source, stdout, stderr)
}
