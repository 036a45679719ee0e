package pgwire_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var errGone = errors.New("client went away")

// shared is a connection with a batch of flights, each of which waits for a lock.
type shared struct {
	conn    *pgwire.Conn
	sharing pgwire.Sharing
	flights []*pgwire.Flight
	rows    []log
	results []error
	over    sync.WaitGroup
}

const lockedValue = "select pg_advisory_xact_lock_shared(7), $1::text"

func share(t *testing.T, c *pgwire.Conn, statement *pgwire.Stmt, n int) *shared {
	t.Helper()
	s := &shared{conn: c, rows: make([]log, n), results: make([]error, n)}
	c.Share(&s.sharing)
	for i := range n {
		f := &pgwire.Flight{}
		f.Add(statement, &s.rows[i])
		f.Arg(fmt.Append(nil, i))
		if !s.sharing.Append(f) {
			t.Fatalf("flight %d is not taken", i)
		}
		s.flights = append(s.flights, f)
	}
	s.sharing.Flush()
	return s
}

// receive reads all responses, one after the other.
func (s *shared) receive() {
	s.over.Go(func() {
		for i, f := range s.flights {
			s.results[i] = s.sharing.Receive(f)
		}
		s.conn.Unshare()
	})
}

// waitingFor waits until a session waits for an advisory lock.
func waitingFor(t *testing.T, c *pgwire.Conn, pid uint32) {
	t.Helper()
	for end := time.Now().Add(time.Minute); value(t, c, fmt.Sprintf("select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = %d", pid)) != "1"; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no session waits for the lock")
		}
	}
}

// TestAbandonShared: an abandoned flight goes on while another flight of the batch is not
// abandoned. When all are, they are canceled one after the other, no flight can be
// appended, and the connection can be used afterwards.
func TestAbandonShared(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
	c, other := dial(t, uri), dial(t, uri)
	statement := pgwire.NewStmt(lockedValue)
	var f pgwire.Flight
	f.Add(statement, new(log))
	f.Arg([]byte("x"))
	if err := c.Run(bg, &f); err != nil { // what is shared has to be known
		t.Fatal(err)
	}

	exec(t, other, "select pg_advisory_lock(7)")
	s := share(t, c, statement, 3)
	s.receive()
	waitingFor(t, other, c.PID())
	if s.flights[0].Abandon(errGone) || s.flights[2].Abandon(errGone) || s.flights[2].Abandon(errGone) {
		t.Error("asked the server although the second is waited for")
	}
	exec(t, other, "select pg_advisory_unlock(7)")
	s.over.Wait()
	for i := range s.flights {
		if got, want := s.rows[i].take(), fmt.Sprintf("row \"\" %q\ncomplete SELECT 1", fmt.Sprint(i)); s.results[i] != nil || got != want {
			t.Errorf("flight %d: %v, %q", i, s.results[i], got)
		}
		if s.flights[i].Abandon(errGone) {
			t.Errorf("flight %d: abandoned what was over", i)
		}
	}

	exec(t, other, "select pg_advisory_lock(7)")
	s = share(t, c, statement, 3)
	s.receive()
	waitingFor(t, other, c.PID())
	if s.flights[0].Abandon(errGone) || s.flights[1].Abandon(errGone) {
		t.Error("asked the server although the third is waited for")
	}
	if !s.flights[2].Abandon(errGone) {
		t.Error("did not ask the server although no caller waits")
	}
	over := make(chan struct{})
	go func() { s.over.Wait(); close(over) }()
	for end := time.Now().Add(time.Minute); ; {
		select {
		case <-over:
		case <-time.After(5 * time.Millisecond): // the second and the third, when it is their turn
			for _, f := range s.flights {
				f.Abandon(errGone)
			}
			if time.Now().Before(end) {
				continue
			}
			t.Fatal("the flights go on")
		}
		break
	}
	for i, err := range s.results {
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Canceled || !errors.Is(err, errGone) {
			t.Errorf("flight %d: %v", i, err)
		}
	}
	exec(t, other, "select pg_advisory_unlock(7)")
	if c.IsBroken() {
		t.Log("a cancel request came too late, the connection was given up")
		return
	}
	if err := c.Run(bg, &f); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestAbandonMeetsNoOtherFlight: flights are abandoned at any time. The others get their
// responses.
func TestAbandonMeetsNoOtherFlight(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI("postgres", pgtest.Superuser)
	statement := pgwire.NewStmt("select pg_sleep(0.001), $1::text")
	var known pgwire.Flight
	known.Add(statement, new(log))
	known.Arg([]byte("x"))
	var c *pgwire.Conn
	canceled := 0
	for round := 0; round < 60 || canceled == 0 && round < 2000; round++ { // a busy machine may need more
		if c == nil || c.IsBroken() {
			c = dial(t, uri)
			if err := c.Run(bg, &known); err != nil {
				t.Fatal(err)
			}
		}
		s := share(t, c, statement, 4)
		s.receive()
		patient := round % 5 // the fifth: none
		var leaving sync.WaitGroup
		for i, f := range s.flights {
			if i != patient {
				leaving.Go(func() {
					time.Sleep(time.Duration((round*7+i*3)%40) * 100 * time.Microsecond)
					f.Abandon(errGone)
				})
			}
		}
		leaving.Wait()
		s.over.Wait()
		for i, err := range s.results {
			if i == patient && err != nil {
				t.Fatalf("round %d: the one who stayed got %v", round, err)
			}
			if errors.Is(err, errGone) {
				canceled++
			} else if err != nil {
				t.Fatalf("round %d, flight %d: %v", round, i, err)
			}
		}
		if c.IsBroken() {
			continue
		}
		if err := c.Run(bg, &known); err != nil {
			t.Fatalf("round %d: the next one got %v", round, err)
		}
	}
	if canceled == 0 {
		t.Error("nothing was cancelled: the test proves nothing")
	}
}

// TestReplacedFlightLeavesState: a flight that is sent again on another connection also runs
// on the first one, whose session has to be reset afterwards.
func TestReplacedFlightLeavesState(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
	c, other := dial(t, uri), dial(t, uri)
	statement := pgwire.NewStmt("select pg_advisory_xact_lock_shared(7), set_config('my.secret', $1::text, false)")
	var f pgwire.Flight
	f.Add(statement, new(log))
	f.Arg([]byte("x"))
	f.LeavesState(pgwire.Dirty)
	if err := c.Run(bg, &f); err != nil { // what is shared has to be known
		t.Fatal(err)
	}

	exec(t, other, "select pg_advisory_lock(7)")
	s := shared{conn: c, rows: make([]log, 2), results: make([]error, 2)}
	c.Share(&s.sharing)
	for i := range s.rows {
		f := &pgwire.Flight{}
		f.Add(statement, &s.rows[i])
		f.Arg([]byte("secret"))
		f.LeavesState(pgwire.Dirty)
		if !s.sharing.Append(f) {
			t.Fatalf("flight %d is not taken", i)
		}
		s.flights = append(s.flights, f)
	}
	s.sharing.Flush()
	s.flights[1] = s.sharing.Replace(s.flights[1])
	s.receive()
	waitingFor(t, other, c.PID())
	exec(t, other, "select pg_advisory_unlock(7)")
	s.over.Wait()
	if s.results[0] != nil || s.results[1] != nil {
		t.Fatal(s.results)
	}
	if got := value(t, c, "select current_setting('my.secret')"); got != "" {
		t.Errorf("the next flight reads %q", got)
	}
}

// TestAbandonBeforeFlush: a flight is abandoned before the batch is sent. The flights that are
// appended after it keep their connection.
func TestAbandonBeforeFlush(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
	c, other := dial(t, uri), dial(t, uri)
	statement := pgwire.NewStmt(lockedValue)
	var f pgwire.Flight
	f.Add(statement, new(log))
	f.Arg([]byte("x"))
	if err := c.Run(bg, &f); err != nil { // what is shared has to be known
		t.Fatal(err)
	}

	exec(t, other, "select pg_advisory_lock(7)")
	s := shared{conn: c, rows: make([]log, 2), results: make([]error, 2)}
	c.Share(&s.sharing)
	for i := range s.rows {
		f := &pgwire.Flight{}
		f.Add(statement, &s.rows[i])
		f.Arg(fmt.Append(nil, i))
		if !s.sharing.Append(f) {
			t.Fatalf("flight %d is not taken", i)
		}
		s.flights = append(s.flights, f)
		if i == 0 && f.Abandon(errGone) {
			t.Error("asked the server before the batch was sent")
		}
	}
	s.sharing.Flush()
	if s.flights[0].Abandon(errGone) {
		t.Error("asked the server although the second is waited for")
	}
	s.receive()
	waitingFor(t, other, c.PID())
	exec(t, other, "select pg_advisory_unlock(7)")
	s.over.Wait()
	if s.results[1] != nil || c.IsBroken() {
		t.Errorf("%v, broken: %t", s.results, c.IsBroken())
	}
}

// TestFlightBehindLaterReset: two flights of a batch begin with a reset, and a third one, which
// follows when the first reset has succeeded, does not. If the second reset fails, the server
// refuses the third flight, which can be run again.
func TestFlightBehindLaterReset(t *testing.T) {
	failed := pgtest.Ready('E')
	script := pgtest.NewScript(t, responses(nil,
		say{parsed, bound, oneField, oneRow, selected, idle},
		say{
			selected, pgtest.Ready('T'), parsed, bound, selected, parsed, bound, oneRow, selected, parsed, bound, selected, bound, oneRow, selected, idle,
			refusal("ERROR", "57014", ""), failed, refusal("ERROR", "25P02", ""), failed,
			refusal("ERROR", "25P02", ""), failed,
		}))
	c := connectTo(t, script)
	s := statement(1)
	if _, err := run(c, new(log), s); err != nil {
		t.Fatal(err)
	}
	c.SessionChanged(pgwire.Dirty)
	var sharing pgwire.Sharing
	c.Share(&sharing)
	flights := make([]pgwire.Flight, 3)
	add := func(i int) {
		flights[i].Add(s, nil)
		if !sharing.Append(&flights[i]) {
			t.Fatal("not taken")
		}
		sharing.Flush()
	}
	add(0)
	add(1)
	if err := sharing.Receive(&flights[0]); err != nil {
		t.Fatal(err)
	}
	add(2)
	for i := 1; i < 3; i++ {
		var local *pgwire.ConnError
		if err := sharing.Receive(&flights[i]); !errors.As(err, &local) || !local.Retryable() {
			t.Errorf("flight %d: %v", i, err)
		}
	}
	c.Unshare()
}
