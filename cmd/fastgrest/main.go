package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/fastgrest/fastgrest/server"
)

// version is stamped by the linker with the tag of a release, or the output of git describe. main
// replaces it by what --version prints.
var version string

func main() {
	version = shownVersion(version, debug.ReadBuildInfo)
	os.Exit(run(untilSignal(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// shownVersion removes the v of a tag. Without a stamp the version is that of the module: `go install`
// of a release records it.
func shownVersion(stamp string, build func() (*debug.BuildInfo, bool)) string {
	if info, ok := build(); stamp == "" && ok {
		stamp = info.Main.Version
	}
	if stamp == "" || stamp == "(devel)" {
		return "dev"
	}
	if number, ok := strings.CutPrefix(stamp, "v"); ok && number != "" && number[0] >= '0' && number[0] <= '9' {
		return number
	}
	return stamp
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
