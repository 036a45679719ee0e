package pgwire_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func noResponse(err error) bool {
	var local *pgwire.ConnError
	return errors.As(err, &local) && local.Kind == pgwire.NoResponse && local.Sent
}

// TestDeadline: a flight is given up when nothing has arrived for its limit. While bytes
// arrive, it goes on.
func TestDeadline(t *testing.T) {
	const limit = time.Minute
	now := time.Unix(1e9, 0)
	begin := func(t *testing.T, own time.Duration) (c *pgwire.Conn, next chan say, done chan error) {
		next = make(chan say, 10) // what the server says
		script := pgtest.NewScript(t, func(s *pgtest.Session) {
			s.Hear()
			for words := range next {
				_ = s.Say(words...)
			}
		})
		t.Cleanup(func() { close(next) }) // before the script waits for the session
		c = connectTo(t, script, func(cfg *pgwire.Config) { cfg.CancelWait = 50 * time.Millisecond })
		done = make(chan error, 1)
		heard := new(log)
		go func() {
			f := new(pgwire.Flight)
			f.Add(pgwire.NewStmt("a"), heard)
			f.Limit(own)
			done <- c.Run(bg, f)
		}()
		return c, next, done
	}
	look := func(t *testing.T, c *pgwire.Conn, v *pgwire.DeadlineWatch, after time.Duration, want bool) {
		t.Helper()
		if got := c.CheckDeadline(v, now.Add(after), limit); got != want {
			t.Errorf("after %v: given up %t", after, got)
		}
	}
	// begun waits until a response is awaited: then only the first call changes w.
	begun := func(t *testing.T, c *pgwire.Conn, v *pgwire.DeadlineWatch) {
		t.Helper()
		if !pgtest.Until(time.Minute, func() bool {
			c.CheckDeadline(v, now, limit)
			before := *v
			c.CheckDeadline(v, now.Add(1), limit)
			return *v == before
		}) {
			t.Fatal("not begun")
		}
	}
	// arrived waits until the connection has read what was sent last.
	arrived := func(t *testing.T, c *pgwire.Conn, v *pgwire.DeadlineWatch, after time.Duration) {
		t.Helper()
		before := *v
		if !pgtest.Until(time.Minute, func() bool {
			c.CheckDeadline(v, now.Add(after), limit)
			return *v != before
		}) {
			t.Fatal("what has arrived is not noted")
		}
	}
	t.Run("silence", func(t *testing.T) {
		c, _, done := begin(t, 0)
		var v pgwire.DeadlineWatch
		begun(t, c, &v)
		look(t, c, &v, limit-1, false)
		if c.CheckDeadline(&v, now.Add(10*limit), 0) {
			t.Error("given up without a limit")
		}
		look(t, c, &v, limit+1, true)
		look(t, c, &v, 3*limit, false) // already
		if err := <-done; !noResponse(err) || !c.IsBroken() {
			t.Error(err)
		}
	})
	t.Run("slow answer", func(t *testing.T) {
		c, next, done := begin(t, 0)
		var v pgwire.DeadlineWatch
		begun(t, c, &v)
		after := time.Duration(0)
		for _, words := range []say{{parsed}, {bound, oneField}, {oneRow}, {oneRow}} {
			after += limit - 1
			look(t, c, &v, after, false)
			next <- words
			arrived(t, c, &v, after)
		}
		next <- say{selected, idle}
		if err := <-done; err != nil || c.IsBroken() {
			t.Error(err)
		}
		for i := range 3 {
			look(t, c, &v, after+time.Duration(i)*10*limit, false) // idle
		}
	})
	t.Run("a limit of its own", func(t *testing.T) {
		c, _, done := begin(t, 5*limit)
		var v pgwire.DeadlineWatch
		begun(t, c, &v)
		look(t, c, &v, 5*limit-1, false)
		look(t, c, &v, 5*limit+1, true)
		if err := <-done; !noResponse(err) {
			t.Error(err)
		}
	})
	t.Run("canceled in time", func(t *testing.T) {
		c, next, done := begin(t, 0)
		var v pgwire.DeadlineWatch
		begun(t, c, &v)
		look(t, c, &v, limit+1, true)
		next <- say{parsed, refusal("ERROR", "57014", ""), idle}
		if err := <-done; !noResponse(err) || !c.IsBroken() {
			t.Error(err)
		}
	})
}

// TestDeadlineShared: when the first flight on a shared connection is given up, those
// behind it fail too.
func TestDeadlineShared(t *testing.T) {
	a := pgwire.NewStmt("a")
	script := pgtest.NewScript(t, responses(nil, say{parsed, bound, oneField, oneRow, selected, idle}, say{bound, oneRow, selected, idle}))
	c := connectTo(t, script, func(cfg *pgwire.Config) { cfg.CancelWait = 50 * time.Millisecond })
	if _, err := run(c, new(log), a); err != nil {
		t.Fatal(err)
	}
	var sharing pgwire.Sharing
	c.Share(&sharing)
	flights := make([]pgwire.Flight, 4)
	for i := range flights {
		flights[i].Add(a, nil)
		if !sharing.Append(&flights[i]) {
			t.Fatal("not taken")
		}
	}
	sharing.Flush()
	if err := sharing.Receive(&flights[0]); err != nil {
		t.Fatal(err)
	}
	results := make(chan error, len(flights))
	go func() {
		for i := range flights[1:] {
			results <- sharing.Receive(&flights[i+1])
		}
		c.Unshare()
		close(results)
	}()
	var v pgwire.DeadlineWatch
	at := time.Unix(1e9, 0)
	if !pgtest.Until(time.Minute, func() bool {
		at = at.Add(time.Minute)
		return c.CheckDeadline(&v, at, time.Minute)
	}) {
		t.Fatal("never given up")
	}
	if err := <-results; !noResponse(err) {
		t.Errorf("the head: %v", err)
	}
	for err := range results {
		if local := new(pgwire.ConnError); !errors.As(err, &local) || local.Kind != pgwire.Lost {
			t.Errorf("behind it: %v", err)
		}
	}
	if !c.IsBroken() {
		t.Error("the connection is still used")
	}
}
