package pgtest

import (
	"context"
	"testing"
)

// TestReplica copies a cluster while rows are written and checkpoints made. The replica has all of
// them, follows, and can be promoted.
func TestReplica(t *testing.T) {
	primary := StartReplicated(t)
	primary.Exec(t, "postgres", "create table written (i int)")
	writing, stop := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() {
		defer close(stopped)
		for writing.Err() == nil {
			if err := primary.exec("postgres", "load", "insert into written select generate_series(1, 1000); checkpoint"); err != nil {
				stopped <- err
				return
			}
		}
	}()
	replica := primary.StartReplica(t)
	stop()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if got := replica.Connect(t, "postgres").Value("select pg_is_in_recovery()"); got != "t" {
		t.Errorf("the copy is in recovery: %s", got)
	}
	const count = "select count(*) from written"
	want, got := primary.Connect(t, "postgres").Count(count), 0
	conn := replica.Connect(t, "postgres")
	if !Until(patience, func() bool { got = conn.Count(count); return got == want }) {
		t.Fatalf("the replica has %d rows, want %d", got, want)
	}
	replica.Promote(t)
	replica.Exec(t, "postgres", "insert into written values (0)")
}
