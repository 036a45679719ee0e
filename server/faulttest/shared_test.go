package faulttest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestSharedWrites ends connections on which several writes follow each other.
// Each client has to be told the truth about its own, whatever became of the
// one at the head.
func TestSharedWrites(t *testing.T) {
	const (
		clients = 32
		kills   = 25
	)
	cluster := pgtest.Start(t)
	f := start(t, cluster, map[string]string{"db-pool": "2"})
	forms := []request{
		{"POST", "/note", `{"tag":"%s"}`, nil},
		{"POST", "/note", `{"tag":"%s"}`, []string{"Prefer", "return=representation"}},
		{"POST", "/rpc/add_note", `{"tag":"%s"}`, nil},
	}
	for _, form := range forms {
		for i := range 50 { // known to be quick
			if a := f.do(t, form, fmt.Sprintf("warm%d", i)); !a.ok() {
				t.Fatal(a)
			}
		}
	}
	f.exec(t, "truncate log, api.note")

	var (
		group     sync.WaitGroup
		mu        sync.Mutex
		fates     = map[string]answer{}
		ctx, stop = context.WithCancel(t.Context())
	)
	defer stop()
	for c := range clients {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				tag := fmt.Sprintf("s%d-%d", c, i)
				a, err := f.try(forms[(c+i)%len(forms)], tag)
				if err != nil {
					t.Errorf("%s: %v", tag, err)
					return
				}
				mu.Lock()
				fates[tag] = a
				mu.Unlock()
			}
		})
	}
	for range kills {
		time.Sleep(30 * time.Millisecond)
		f.exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fault_authenticator' and datname = current_database()")
	}
	stop()
	group.Wait()

	written := map[string]int{}
	for _, r := range f.db.ExecParams(t.Context(), "select tag, count(*)::text from log group by tag", nil, nil, nil, nil).Read().Rows {
		written[string(r[0])] = int(r[1][0] - '0')
	}
	good, refused, doubted := 0, 0, 0
	for tag, a := range fates {
		switch n := written[tag]; {
		case a.ok():
			good++
			if n != 1 {
				t.Errorf("%s: success, and %d rows", tag, n)
			}
		case strings.Contains(a.details, unknown):
			doubted++
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
		t.Errorf("rows nobody asked for: %v", written)
	}
	t.Logf("%d done, %d refused, %d in doubt", good, refused, doubted)
	if good == 0 {
		t.Error("nothing was written")
	}
	// Two connections ended each time: more writes than that in doubt have shared one.
	if doubted <= 2*kills {
		t.Errorf("%d writes in doubt after %d connections: none shared, and the test proves nothing", doubted, 2*kills)
	}
}
