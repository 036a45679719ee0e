package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fastgrest/fastgrest/bench/classic"
	"github.com/fastgrest/fastgrest/bench/delay"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
)

// childMark is an environment variable that makes this program run as a server instead of the bench. Its value is
// the name of the server, optionally followed by a colon and its argument.
const childMark = "FASTGREST_BENCH_CHILD"

// children are the servers that this program can run.
var children = map[string]func(ctx context.Context, rest string) error{
	"delay":   lengthen,
	"classic": func(ctx context.Context, _ string) error { return classic.Run(ctx, os.Getenv) },
	"server":  func(ctx context.Context, _ string) error { return serve(ctx) },
	"profiled": func(ctx context.Context, prefix string) error {
		return profiled(prefix, func() error { return serve(ctx) })
	},
}

// beChild runs such a server and exits. It returns at once if childMark is not set.
func beChild() {
	mark, ok := os.LookupEnv(childMark)
	if !ok {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name, rest, _ := strings.Cut(mark, ":")
	run, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "bench: %s: no such server: %q\n", childMark, name)
		os.Exit(2)
	}
	if err := run(ctx, rest); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// lengthen reads a delay and two sockets. The proxy is a separate process, so that it keeps time while the load is
// busy.
func lengthen(ctx context.Context, rest string) error {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) != 3 {
		return fmt.Errorf("delay: want TIME:SOCKET:SOCKET, not %q", rest)
	}
	d, err := time.ParseDuration(parts[0])
	if err != nil {
		return err
	}
	return delay.ServeUnix(ctx, parts[1], parts[2], d)
}

func serve(ctx context.Context) error {
	return server.Run(ctx, server.Options{Source: config.LoadOptions{Env: os.Environ()}, Version: "bench", Stdout: io.Discard, Stderr: os.Stderr})
}

// ourselves returns this program as one of the children.
func ourselves(name, child string) (program, error) {
	self, err := os.Executable()
	if err != nil {
		return program{}, err
	}
	return program{name: name, args: []string{self}, env: []string{childMark + "=" + child}, says: child}, nil
}
