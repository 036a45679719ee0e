package pgwire

// stmtCache has the statements that a connection has parsed: a list in order of last use,
// with an index. The least recently used statements make room for a new one. Their number
// is bounded, and so are the bytes of their SQL, because PostgreSQL needs up to a hundred
// times as much memory for a statement.
//
// A statement is added when its Parse is written, and confirmed when ParseComplete is
// read. settle removes unconfirmed statements after the flight. Prepared statements are
// not transactional: a confirmed one stays parsed if a later step fails.
type stmtCache struct {
	max     int
	bytes   int // of SQL in index
	index   map[*Stmt]*cached
	recent  cached  // head of a ring: recent.next is the most recently used
	toClose []*Stmt // that the server has not closed yet; each flight closes them
	pending int     // entries not yet confirmed
	flight  uint32  // number of the flight being written
}

type cached struct {
	stmt       *Stmt
	prev, next *cached
	confirmed  bool
	columns    int    // of a row, -1 unknown
	flight     uint32 // that used it last
}

const (
	// maxStatementBytes bounds the SQL of all statements of a connection.
	maxStatementBytes = 512 << 10
	// maxStatement bounds the SQL of a statement that is kept. A longer one would
	// push out dozens of others.
	maxStatement = 32 << 10
)

func (c *stmtCache) init(limit int) {
	c.max = limit
	c.index = make(map[*Stmt]*cached, min(limit, 64))
	c.recent.next, c.recent.prev = &c.recent, &c.recent
}

// off reports that no statements are kept: each is parsed each time, without a name.
func (c *stmtCache) off() bool { return c.max <= 0 }

// keeps reports whether a statement is kept, or else parsed each time.
func (c *stmtCache) keeps(sql string) bool { return !c.off() && len(sql) <= maxStatement }

// use finds a statement and makes it the most recently used.
func (c *stmtCache) use(s *Stmt) *cached {
	e := c.index[s]
	if e == nil {
		return nil
	}
	e.flight = c.flight
	if c.recent.next != e {
		e.unlink()
		c.link(e)
	}
	return e
}

// add adds a statement that is about to be parsed.
func (c *stmtCache) add(s *Stmt) *cached {
	for len(c.index) >= c.max || c.bytes+len(s.sql) > maxStatementBytes {
		oldest := c.recent.prev
		if oldest.flight == c.flight {
			break // this flight uses all of them; the next one evicts some
		}
		c.evict(oldest)
	}
	e := &cached{stmt: s, columns: -1, flight: c.flight}
	c.link(e)
	c.index[s] = e
	c.bytes += len(s.sql)
	c.pending++
	return e
}

func (c *stmtCache) confirm(e *cached) {
	if !e.confirmed {
		e.confirmed = true
		c.pending--
	}
}

// settle removes the statements that were not confirmed.
func (c *stmtCache) settle() {
	if c.pending == 0 {
		return
	}
	for e := c.recent.next; e != &c.recent; {
		next := e.next
		if !e.confirmed {
			c.drop(e)
		}
		e = next
	}
	c.pending = 0
}

// evict removes an entry, and has the next flight close the statement on the server.
func (c *stmtCache) evict(e *cached) {
	c.toClose = append(c.toClose, e.stmt)
	c.drop(e)
}

// closed removes the first statement of toClose, which the server has closed. The others
// stay: after an error it skips what follows.
func (c *stmtCache) closed() { c.toClose = c.toClose[:copy(c.toClose, c.toClose[1:])] }

// forget evicts a statement, if it is in the cache.
func (c *stmtCache) forget(s *Stmt) {
	if e := c.index[s]; e != nil {
		c.evict(e)
	}
}

// clear evicts all statements. Closing a statement that the server does not have is not
// an error.
func (c *stmtCache) clear() {
	for c.recent.next != &c.recent {
		c.evict(c.recent.next)
	}
}

// drop removes an entry. It does not change the entry, which flights that have been sent
// may still read.
func (c *stmtCache) drop(e *cached) {
	e.unlink()
	delete(c.index, e.stmt)
	c.bytes -= len(e.stmt.sql)
}

func (c *stmtCache) link(e *cached) {
	e.prev, e.next = &c.recent, c.recent.next
	e.prev.next, e.next.prev = e, e
}

func (e *cached) unlink() { e.prev.next, e.next.prev = e.next, e.prev }
