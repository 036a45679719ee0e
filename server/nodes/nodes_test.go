package nodes

import (
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pool"
)

func TestBookmark(t *testing.T) {
	for _, p := range []Position{{1, 0}, {1, 0x16B3748}, {12, 0xABCDEF0123456789}, {1<<31 - 1, 1<<64 - 1}} {
		text := string(p.AppendBookmark(nil))
		if got, err := ParseBookmark(text); err != nil || got != p {
			t.Errorf("%+v is %q, which is %+v %v", p, text, got, err)
		}
	}
	if got := string(Position{3, 0x1_0000_00AB}.AppendBookmark(nil)); got != "3/1/AB" {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"", "/", "//", "1", "1/", "1/0", "1/0/", "1//1", "0/0/1", "01/0/1", "+1/0/1", "-1/0/1", " 1/0/1", "1/0/1 ", "1/0/1/1", "1/0x1/1", "1/+0/1", "1/000000000/1", "2147483648/0/1"} {
		if got, err := ParseBookmark(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

// FuzzParseBookmark checks that what is accepted is printed as the same position.
func FuzzParseBookmark(f *testing.F) {
	f.Add("1/0/16B3748")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseBookmark(text)
		if err != nil {
			return
		}
		if again, err := ParseBookmark(string(p.AppendBookmark(nil))); err != nil || again != p {
			t.Errorf("%q: %+v %+v %v", text, p, again, err)
		}
	})
}

func TestLag(t *testing.T) {
	const s = time.Second
	n := &Nodes{o: Options{MaxLag: 3 * s}}
	if _, ok := n.lagOf(&answer{hasAge: true}); ok {
		t.Error("there is a lag without a primary")
	}
	start := time.Now()
	for i, lsn := range []uint64{100, 100, 100, 110, 120, 130, 140, 150, 160} {
		n.sampled(start.Add(time.Duration(i)*s), lsn)
	}
	if len(n.samples) > 7 {
		t.Errorf("%d samples are kept", len(n.samples))
	}
	f := func(lsn uint64, age time.Duration, hasAge bool, want time.Duration, ok bool) {
		t.Helper()
		got, has := n.lagOf(&answer{position: Position{1, lsn}, age: age, hasAge: hasAge})
		if has != ok || ok && got != want {
			t.Errorf("at %d: %v %v, want %v %v", lsn, got, has, want, ok)
		}
	}
	f(160, 0, false, 0, true)
	f(170, time.Hour, true, 0, true) // an idle primary is no lag
	f(155, time.Hour, true, s, true) // the age of the last transaction does not count
	f(140, 0, true, 2*s, true)       // nor does another clock
	f(1, time.Hour, true, time.Hour, true)
	f(1, 0, true, 6*s, true)
	f(1, 0, false, 0, false)
	// While requests wait, the primary is asked often, and that makes no further samples.
	before := len(n.samples)
	n.sampled(start.Add(8*s+time.Millisecond), 165)
	if len(n.samples) != before || n.samples[before-1].lsn != 165 {
		t.Errorf("%v", n.samples)
	}
}

// TestRefusal asks which states serve which reads.
func TestRefusal(t *testing.T) {
	f := func(why Reason, at, catalog, bookmark Position, want Reason) {
		t.Helper()
		if got := (&state{why: why, position: at}).refusal(catalog, bookmark); got != want {
			t.Errorf("%v at %v for %v and %v: %v, want %v", why, at, catalog, bookmark, got, want)
		}
	}
	none := Position{}
	f(fit, Position{1, 10}, none, none, Unknown)
	f(Lagging, Position{1, 10}, Position{1, 1}, none, Lagging)
	f(fit, Position{1, 10}, Position{1, 10}, Position{1, 10}, fit)
	f(fit, Position{1, 10}, Position{1, 11}, none, Behind)
	f(fit, Position{1, 10}, Position{1, 9}, Position{1, 11}, Behind)
	f(fit, Position{2, 10}, Position{1, 9}, none, Timeline)
	f(fit, Position{2, 10}, Position{2, 9}, Position{1, 1}, Behind)
}

// TestJudge checks what a replica has to say of itself.
func TestJudge(t *testing.T) {
	n := &Nodes{o: Options{MaxLag: time.Second}}
	f := func(a answer, lag time.Duration, hasLag bool, want Reason) {
		t.Helper()
		if got := n.replicaReason(&a, &state{lag: lag, hasLag: hasLag}); got != want {
			t.Errorf("%+v: %v, want %v", a, got, want)
		}
	}
	good := answer{recovery: true, identity: "a", position: Position{2, 5}}
	f(good, 0, true, Unknown)
	n.identity, n.timeline = "a", 2
	f(good, 0, true, fit)
	f(good, time.Second, true, fit)
	f(good, time.Second+1, true, Lagging)
	f(good, 0, false, Lagging)
	other := good
	other.recovery = false
	f(other, 0, true, Promoted)
	other = good
	other.identity = "b"
	f(other, 0, true, Foreign)
	other = good
	other.position.Timeline = 1
	f(other, 0, true, Timeline)
}

// TestPick chooses by the requests in flight.
func TestPick(t *testing.T) {
	n := New(Options{}, "primary", nil, nil)
	for _, name := range []string{"a", "b", "c"} {
		n.Add(name, nil, nil)
		n.replicas[len(n.replicas)-1].state.Store(&state{position: Position{1, 10}})
	}
	a, b, c := n.replicas[0], n.replicas[1], n.replicas[2]
	f := func(want *Node, tried ...*Node) {
		t.Helper()
		if got := n.Pick(Position{1, 5}, Position{}, tried); got != want {
			t.Errorf("%s, want %s", got.Name, want.Name)
		}
	}
	a.Begin()
	b.Begin()
	f(c)
	a.End()
	f(a, c)
	c.state.Store(&state{position: Position{1, 4}})
	f(a)
	f(b, a)
	f(n.primary, a, b)
	a.Failed(true, true)
	f(b)
	b.Failed(false, true)
	f(b)
	a.state.Store(&state{position: Position{1, 10}})
	b.End()
	served := map[*Node]int{}
	for range 10 {
		served[n.Pick(Position{1, 5}, Position{}, nil)]++
	}
	if served[a] == 0 || served[b] == 0 {
		t.Errorf("two idle replicas have no turns: %v", served)
	}
	if c.refused[Behind].Load() == 0 || a.retried.Load() != 1 || b.retried.Load() != 1 {
		t.Error("the refusals are not counted")
	}
}

// TestAwait waits for a replica that replays the bookmark meanwhile.
func TestAwait(t *testing.T) {
	n := New(Options{Wait: time.Minute}, "primary", nil, nil)
	n.Add("a", nil, nil)
	a := n.replicas[0]
	a.state.Store(&state{position: Position{1, 4}})
	if got := n.Await(Position{1, 1}, Position{2, 4}, nil); got != n.primary {
		t.Errorf("another timeline: %s", got.Name)
	}
	done := make(chan *Node)
	go func() { done <- n.Await(Position{1, 1}, Position{1, 9}, nil) }()
	<-a.asked
	n.publish(a, &state{position: Position{1, 8}})
	n.publish(a, &state{position: Position{1, 9}})
	if got := <-done; got != a {
		t.Errorf("%s", got.Name)
	}
	go func() { done <- n.Await(Position{1, 10}, Position{}, []*Node{n.primary}) }()
	<-a.asked
	n.publish(a, &state{position: Position{1, 10}})
	if got := <-done; got != a {
		t.Errorf("behind the catalog: %s", got.Name)
	}
	n.o.Wait = time.Millisecond
	if got := n.Await(Position{1, 1}, Position{1, 11}, nil); got != n.primary {
		t.Errorf("%s", got.Name)
	}
	a.state.Store(&state{why: Unreachable, problem: pool.ErrSevered.Error()})
	if got := n.Await(Position{1, 1}, Position{1, 9}, nil); got != n.primary {
		t.Errorf("%s", got.Name)
	}
}
