package clustertest_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestLocked holds a lock that three requests wait for. All plans are known to
// be quick, so the requests share connections. 60 requests that do not need the
// lock must finish while it is held.
func TestLocked(t *testing.T) {
	t.Parallel()
	const (
		rounds = 5
		locked = 3
		others = 60
	)
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	lock := cluster.Connect(t, db).Value
	type request struct{ method, target, body string }
	var id atomic.Int64
	id.Store(1000)
	updateItem := func(i int) request {
		return request{"PATCH", fmt.Sprintf("/item?id=eq.%d", i), `{"name":"x"}`}
	}
	for _, test := range []struct {
		name, lock    string
		blocked, free func(i int) request // i is 1 to 3, or 10 and above
	}{
		{"reads", "lock table api.note",
			func(int) request { return request{"GET", "/note?limit=1", ""} },
			func(i int) request { return request{"GET", fmt.Sprintf("/item?id=eq.%d&select=id", i), ""} }},
		{"inserts", "lock table api.item",
			func(int) request { return request{"POST", "/item", fmt.Sprintf(`{"id":%d,"name":"x"}`, id.Add(1))} },
			func(i int) request { return request{"POST", "/note", fmt.Sprintf(`{"tag":"%d"}`, i)} }},
		{"updates", "update api.item set name = name where id <= 3", updateItem, updateItem},
	} {
		t.Run(test.name, func(t *testing.T) {
			// On a busy machine a plan may count as slow. Then the reserve would leave it three connections.
			a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "5", "db-pool-reserve": "0", "db-pool-acquisition-timeout": "600"})
			ask := func(r request) {
				if got, err := a.Try(r.method, r.target, r.body); err != nil || got.Status >= 300 {
					t.Errorf("%s %s: %v %v", r.method, r.target, got, err)
				}
			}
			for i := range 40 { // make the plan known as quick
				ask(test.free(10 + i))
				ask(test.blocked(1 + i%locked))
			}
			for range rounds {
				lock("begin")
				lock(test.lock)
				var waiting, free sync.WaitGroup
				for i := range locked {
					waiting.Go(func() { ask(test.blocked(1 + i)) })
				}
				for i := range others {
					free.Go(func() { ask(test.free(10 + i)) })
				}
				over := make(chan struct{})
				go func() { free.Wait(); close(over) }()
				if !pgtest.Until(servertest.Patience/4, func() bool {
					select {
					case <-over:
						return true
					default:
						return false
					}
				}) {
					t.Error("requests wait for a lock that they do not need")
				}
				lock("commit")
				waiting.Wait()
				<-over
				if t.Failed() {
					return
				}
			}
		})
	}
}
