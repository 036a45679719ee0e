package simtest

import (
	"slices"
	"sync"
	"time"
)

// key names a row.
type key struct {
	table string
	id    int64
}

// row is a version of a row.
type row struct {
	id    int64
	val   string
	owner string
}

// change is a row that a transaction has written; nil: deleted.
type change struct {
	key key
	row *row
}

// commit is a transaction of the log.
type commit struct {
	at      time.Time
	changes []change
}

// store has the committed rows of a node, and the locks on rows and tables. A snapshot is the
// number of commits that a statement sees.
type store struct {
	mu      sync.Mutex
	log     []commit
	rows    map[key]*row
	holders map[key]*txn    // of row locks
	tables  map[string]*txn // of exclusive locks on tables
}

func newStore(log []commit) *store {
	s := &store{rows: map[key]*row{}, holders: map[key]*txn{}, tables: map[string]*txn{}}
	for _, c := range log {
		s.apply(c)
	}
	return s
}

func (s *store) apply(c commit) {
	s.log = append(s.log, c)
	for _, ch := range c.changes {
		if ch.row == nil {
			delete(s.rows, ch.key)
		} else {
			s.rows[ch.key] = ch.row
		}
	}
}

// txn is a transaction.
type txn struct {
	store   *store
	changes []change
	locked  []key
	tables  []string
	waits   *txn          // it waits for
	saved   *saved        // of the session
	done    chan struct{} // closed at its end
}

func (s *store) begin() *txn { return &txn{store: s, done: make(chan struct{})} }

// get returns the row that the transaction sees.
func (t *txn) get(k key) *row {
	for _, c := range slices.Backward(t.changes) {
		if c.key == k {
			return c.row
		}
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	return t.store.rows[k]
}

// scan returns the rows of a table that the transaction sees, by id.
func (t *txn) scan(table string) []*row {
	t.store.mu.Lock()
	found := map[int64]*row{}
	for k, r := range t.store.rows {
		if k.table == table {
			found[k.id] = r
		}
	}
	t.store.mu.Unlock()
	for _, c := range t.changes {
		if c.key.table != table {
			continue
		}
		if c.row == nil {
			delete(found, c.key.id)
		} else {
			found[c.key.id] = c.row
		}
	}
	list := make([]*row, 0, len(found))
	for _, r := range found {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *row) int { return int(a.id - b.id) })
	return list
}

// blocker returns the transaction that has to end before t gets the lock on the row, or nil
// if t has got it now. deadlock reports that it would wait for ever.
func (t *txn) blocker(k key) (other *txn, deadlock bool) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	t.waits = nil
	holder := s.holders[k]
	if holder == nil || holder == t {
		if holder == nil {
			s.holders[k] = t
			t.locked = append(t.locked, k)
		}
		return nil, false
	}
	for w := holder; w != nil; w = w.waits {
		if w == t {
			return nil, true
		}
	}
	t.waits = holder
	return holder, false
}

// tableBlocker returns the transaction that has an exclusive lock on the table.
func (t *txn) tableBlocker(table string) *txn {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	if h := t.store.tables[table]; h != nil && h != t {
		return h
	}
	return nil
}

// lockTable takes an exclusive lock, for the transaction of an operator.
func (t *txn) lockTable(table string) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.tables[table] = t
	t.tables = append(t.tables, table)
}

func (t *txn) put(k key, r *row) { t.changes = append(t.changes, change{k, r}) }

// end commits or rolls back. It returns the number of the commit, 0 if there is nothing to
// commit.
func (t *txn) end(commits bool) (number int) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if commits && len(t.changes) > 0 {
		s.apply(commit{time.Now(), t.changes})
		number = len(s.log)
	}
	for _, k := range t.locked {
		delete(s.holders, k)
	}
	for _, name := range t.tables {
		delete(s.tables, name)
	}
	t.changes, t.locked, t.tables, t.waits = nil, nil, nil, nil
	close(t.done)
	return number
}
