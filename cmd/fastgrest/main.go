package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fastgrest/fastgrest/server"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// endings are the signals that end the program in good order, with their names in the log.
var endings = map[os.Signal]server.Terminated{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM"}

// untilSignal returns a context that ends with the first of them.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := make(chan os.Signal, 1)
	for s := range endings {
		signal.Notify(c, s)
	}
	go func() {
		s := <-c
		signal.Stop(c) // without the handler a second signal ends the process at once
		cancel(endings[s])
	}()
	return ctx
}
