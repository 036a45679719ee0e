package main

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestBatchScheduling looks at how the kernel schedules each thread of a server,
// those included that begin later.
func TestBatchScheduling(t *testing.T) {
	if _, err := unix.SchedGetAttr(0, 0); err != nil {
		t.Skip("the system does not tell:", err)
	}
	d := newDatabase(t)
	for value, want := range map[string]uint32{"true": 3, "false": 0} {
		port := pgtest.FreePort(t, "127.0.0.1")
		p := d.start("--server-batch-scheduling", value, "--server-port", port)
		load := &load{network: "tcp", address: "127.0.0.1:" + port, stop: make(chan struct{})}
		for range 8 {
			load.all.Go(func() { load.run(true) })
		}
		eventually(t, "requests", load.more(500))
		close(load.stop)
		load.all.Wait()
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
		if err != nil || len(threads) < 3 {
			t.Fatalf("%d threads, %v", len(threads), err)
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				t.Fatal(err)
			}
			if attr, err := unix.SchedGetAttr(id, 0); err == nil && attr.Policy != want {
				t.Errorf("%s: thread %d of %d has policy %d", value, id, len(threads), attr.Policy)
			}
		}
		if t.Failed() {
			return
		}
	}
}
