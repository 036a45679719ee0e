package pgwire

// stmtCache knows which statements a connection has parsed. It is a list in
// the order of last use with an index; the least recently used statements
// make room for a new one. Their number is bounded, and the bytes of their SQL,
// because PostgreSQL needs up to a hundred times as much memory for a statement.
//
// A statement is noted when its Parse is written, and confirmed when the
// server's ParseComplete is read; settle drops the unconfirmed after the
// flight. Prepared statements are not transactional: what has been confirmed
// stays parsed even if the flight fails further on.
type stmtCache struct {
	max     int
	bytes   int // of SQL in index
	index   map[*Stmt]*cached
	recent  cached  // head of a ring: recent.next is the latest used
	doomed  []*Stmt // to be closed on the server, by the next flight
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

// off: nothing is kept, every statement is parsed each time, without a name.
func (c *stmtCache) off() bool { return c.max <= 0 }

// keeps reports whether a statement is kept, or else parsed each time.
func (c *stmtCache) keeps(sql string) bool { return !c.off() && len(sql) <= maxStatement }

// use finds a statement and makes it the latest used.
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

// add notes a statement that is about to be parsed.
func (c *stmtCache) add(s *Stmt) *cached {
	for len(c.index) >= c.max || c.bytes+len(s.sql) > maxStatementBytes {
		oldest := c.recent.prev
		if oldest.flight == c.flight {
			break // every one of them is needed right now; the next flight will shrink
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

// settle forgets what was noted but never confirmed.
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

// evict forgets an entry here and, with the next flight, on the server.
func (c *stmtCache) evict(e *cached) {
	c.doomed = append(c.doomed, e.stmt)
	c.drop(e)
}

// forgive: the first n of the doomed are being closed.
func (c *stmtCache) forgive(n int) {
	if n > 0 {
		c.doomed = c.doomed[:copy(c.doomed, c.doomed[n:])]
	}
}

// forget evicts a statement, if it is known.
func (c *stmtCache) forget(s *Stmt) {
	if e := c.index[s]; e != nil {
		c.evict(e)
	}
}

// clear evicts everything. Closing a statement that the server does not have
// is no error.
func (c *stmtCache) clear() {
	for c.recent.next != &c.recent {
		c.evict(c.recent.next)
	}
}

// drop leaves the entry as it is: flights that have been sent and not been
// answered may still read it.
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
