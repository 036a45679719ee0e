package faulttest_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestSharedWrites ends connections that several writes share. Each client must
// be told the true result of its own write, whatever happened to the first
// write of the connection.
func TestSharedWrites(t *testing.T) {
	const (
		clients  = 16
		pool     = 2
		kills    = 25 // minimum number of ended connections
		shared   = 5  // minimum number of ended connections that are shared
		mostKill = 300
	)
	cluster := pgtest.Start(t)
	f := start(t, cluster, map[string]string{
		"db-pool": strconv.Itoa(pool),
	})
	forms := []request{
		{"POST", "/note", `{"tag":"%s"}`, nil},
		{"POST", "/note", `{"tag":"%s"}`, []string{"Prefer", "return=representation"}},
		{"POST", "/rpc/add_note", `{"tag":"%s"}`, nil},
	}
	for _, form := range forms {
		for i := range 50 { // make the plan known as quick
			if a := f.do(t, form, fmt.Sprintf("warm%d", i)); !a.OK() {
				t.Fatal(a)
			}
		}
	}
	f.db.Value("truncate log, api.note")

	var (
		group    sync.WaitGroup
		mu       sync.Mutex
		fates    = map[string]servertest.Response{}
		doubted  atomic.Int64
		answers  [clients]atomic.Int64
		ctx, end = context.WithCancel(t.Context())
	)
	defer group.Wait()
	defer end()
	for c := range clients {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				tag := fmt.Sprintf("s%d-%d", c, i)
				a, err := f.try(forms[(c+i)%len(forms)], tag)
				if err != nil {
					t.Errorf("%s: %v", tag, err)
					end()
					return
				}
				mu.Lock()
				fates[tag] = a
				mu.Unlock()
				if strings.Contains(a.Details, unknown) {
					doubted.Add(1)
				}
				answers[c].Add(1)
			}
		})
	}
	// proceed waits until every client has had a few more responses. Then its
	// last request was sent after the kill, and the statements are prepared
	// again.
	proceed := func() {
		var before [clients]int64
		for c := range before {
			before[c] = answers[c].Load()
		}
		if !pgtest.Until(2*time.Minute, func() bool {
			for c := range before {
				if answers[c].Load() < before[c]+3 && ctx.Err() == nil {
					return false
				}
			}
			return true
		}) {
			t.Fatal("a client gets no responses")
		}
	}
	proceed()
	killed, met, known := 0, 0, int64(0)
	for ; (killed < kills || met < shared) && killed < mostKill && ctx.Err() == nil; killed++ {
		f.db.Value("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'test_login' and datname = current_database()")
		proceed()
		// More writes of unknown result than connections: some writes shared
		// one.
		n := doubted.Load()
		if n > known+pool {
			met++
		}
		known = n
	}
	end()
	group.Wait()

	written := map[string]int{}
	for _, r := range f.db.ExecParams(t.Context(), "select tag, count(*)::text from log group by tag", nil, nil, nil, nil).Read().Rows {
		written[string(r[0])] = int(r[1][0] - '0')
	}
	good, refused := 0, 0
	for tag, a := range fates {
		switch n := written[tag]; {
		case a.OK():
			good++
			if n != 1 {
				t.Errorf("%s: success, and %d rows", tag, n)
			}
		case strings.Contains(a.Details, unknown):
			if n > 1 {
				t.Errorf("%s: %d rows", tag, n)
			}
		default:
			refused++
			if n != 0 {
				t.Errorf("%s: %v, and %d rows", tag, a, n)
			}
		}
		delete(written, tag)
	}
	if len(written) > 0 {
		t.Errorf("rows that no client wrote: %v", written)
	}
	t.Logf("%d succeeded, %d failed, %d unknown, after %d rounds of which %d met shared connections", good, refused, known, killed, met)
	if good == 0 {
		t.Error("nothing was written")
	}
	if met < shared {
		t.Errorf("%d of %d rounds met connections that several writes shared, want %d: the test proves too little", met, killed, shared)
	}
}
