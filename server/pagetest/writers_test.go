package pagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestWriters: a walk sees each row that is there all along once, while others insert,
// change and delete rows around them.
func TestWriters(t *testing.T) {
	t.Parallel()
	rows, writers, limit := 3000, 8, 97
	if long {
		rows, writers, limit = 100_000, 64, 997
	}
	s, _ := start(t, fmt.Sprintf(`create schema api;
create table api.item (id int primary key, rank int, stays boolean not null);
insert into api.item select i * 10, nullif(i * 7919 %% 100, 50), true from generate_series(1, %d) i;
insert into api.item select i * 10 + 5, i %% 100, false from generate_series(1, %d) i;
create index on api.item (rank, id);
grant usage on schema api to test_anon;
grant all on api.item to test_anon;
analyze`, rows, rows/10), "db-pool", "20")
	for _, order := range []string{"id", "rank.desc", "rank.nullsfirst,stays.desc"} {
		var stop atomic.Bool
		var wg sync.WaitGroup
		var written atomic.Int64
		for w := range writers {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(w), 1))
				for n := 0; !stop.Load(); n++ {
					id := 10*random.IntN(rows+100) + 1 + w%9 // of this writer, or of few others
					if id%10 == 0 {
						id++
					}
					method, target, body := "POST", "/item", fmt.Sprintf(`{"id":%d,"rank":%d,"stays":false}`, id, random.IntN(100))
					switch n % 4 {
					case 1:
						method, target, body = "PATCH", fmt.Sprintf("/item?stays=is.false&id=gt.%d&id=lt.%d", id, id+500), fmt.Sprintf(`{"rank":%d}`, random.IntN(100))
					case 2:
						method, target, body = "DELETE", fmt.Sprintf("/item?stays=is.false&id=gt.%d&id=lt.%d", id, id+300), ""
					}
					r, err := s.Try(method, target, body)
					if err != nil || !r.OK() && r.Status != 409 {
						t.Errorf("%s %s: %v %v", method, target, r, err)
						return
					}
					written.Add(1)
				}
			})
		}
		pages := walk(t, s, fmt.Sprintf("/item?select=id&order=%s&limit=%d", order, limit))
		stop.Store(true)
		wg.Wait()
		seen := slices.DeleteFunc(slices.Concat(pages...), func(id int) bool { return id%10 != 0 })
		slices.Sort(seen)
		distinct := slices.Compact(slices.Clone(seen))
		if len(seen) != rows || len(distinct) != rows {
			t.Errorf("order %s: %d rows seen, %d distinct, of %d", order, len(seen), len(distinct), rows)
		}
		t.Logf("order %s: %d pages, %d writes", order, len(pages), written.Load())
	}
}
