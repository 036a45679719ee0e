package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestSignals: both signals are named in the log, and end the program in order. There need not be
// a database for that.
func TestSignals(t *testing.T) {
	path := servertest.Program(t)
	for sig, name := range map[syscall.Signal]string{syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT"} {
		var errs screen
		cmd := exec.CommandContext(t.Context(), path, "--server-host", "127.0.0.1", "--server-port", "0",
			"--db-uri", "postgresql://nobody@127.0.0.1:1/none", "--db-channel-enabled", "false")
		cmd.Env = os.Environ()
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); !strings.Contains(errs.String(), "Attempting to reconnect"); time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("it does not start: %s", errs.String())
			}
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasSuffix(errs.String(), ": Received termination unix signal "+name+"\n") {
			t.Errorf("%s is not the last thing in the log:\n%s", name, errs.String())
		}
	}
}
