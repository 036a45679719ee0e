package simtest

import (
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// session is the state of a backend that outlives a transaction, and its transaction.
type session struct {
	node   *node
	pid    uint32
	secret []byte

	prepared map[string]*statement
	portal   *portal
	settings map[string]string // of the session
	local    map[string]string // of the transaction
	locks    []string          // advisory locks of the session, by who took them
	temps    []string          // temporary tables, by who made them

	status   byte // 'I', 'T', 'E'
	tx       *txn // of the block
	implicit *txn // outside of a block
	commits  []int

	mu      sync.Mutex
	execute bool // a cancel request counts
	cancels bool
	ends    error // the process has to end
	poked   chan struct{}
}

// statement is a prepared statement. It was parsed for a role.
type statement struct {
	sql  string
	def  *def
	sets *settingsOf
}

func (st *statement) params() []uint32 {
	if st.def == nil {
		return make([]uint32, 0)
	}
	return st.def.params
}

// portal is a statement with arguments.
type portal struct {
	*statement
	args    []string
	null    []bool
	formats []int16
}

func (p *portal) fields() []field {
	switch {
	case p.sets != nil && p.sets.take != sqlgen.NoTake:
		return responseFields
	case p.sets != nil:
		return []field{{name: "num_nonnulls", oid: 23}}
	case p.def != nil:
		return p.def.fields
	}
	return fixedFields[p.sql]
}

func (p *portal) format(i int) int16 {
	switch len(p.formats) {
	case 0:
		return 0
	case 1:
		return p.formats[0]
	}
	return p.formats[i]
}

// poke makes the backend look at cancels and ends.
func (s *session) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// terminated returns why the process has to end.
func (s *session) terminated() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends
}

// interrupted returns why the statement has to end.
func (s *session) interrupted() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends != nil {
		return s.ends
	}
	if s.cancels {
		s.cancels = false
		return refused{code: "57014", text: "canceling statement due to user request"}
	}
	return nil
}

// pause waits, unless the process has to end or a cancel request arrives.
func (b *backend) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		if err := b.interrupted(); err != nil {
			return err
		}
		select {
		case <-t.C:
			return b.interrupted()
		case <-b.poked:
		}
	}
}

// waitFor waits for the end of another transaction.
func (b *backend) waitFor(other *txn, began time.Time) error {
	limit := b.node.w.plan.statementTimeout
	for {
		if err := b.interrupted(); err != nil {
			return err
		}
		var over <-chan time.Time
		if limit > 0 {
			left := limit - time.Since(began)
			if left <= 0 {
				return refused{code: "57014", text: "canceling statement due to statement timeout"}
			}
			t := time.NewTimer(left)
			defer t.Stop()
			over = t.C
		}
		select {
		case <-other.done:
			return nil
		case <-b.poked:
		case <-over:
		}
	}
}

// short is a random time of up to n microseconds, with nanoseconds of its own.
func (b *backend) short(n int) time.Duration { return time.Duration(1 + b.rng.IntN(n*1000)) }

// transaction is the one that the next statement belongs to.
func (b *backend) transaction() *txn {
	if b.status == 'T' {
		return b.tx
	}
	if b.implicit == nil {
		b.implicit = b.node.store.begin()
	}
	return b.implicit
}

// fail aborts the transaction after an error.
func (b *backend) fail() {
	switch {
	case b.status == 'T':
		b.status = 'E'
		b.finish(b.tx, false)
		b.tx = nil
	case b.implicit != nil:
		b.abortImplicit()
	}
}

func (b *backend) abortImplicit() {
	b.finish(b.implicit, false)
	b.implicit = nil
}

// abort ends all transactions: the process ends.
func (b *backend) abort() {
	if b.tx != nil {
		b.tx.end(false)
	}
	if b.implicit != nil {
		b.implicit.end(false)
	}
	b.tx, b.implicit = nil, nil
}

// finish ends a transaction, and what is local to it.
func (b *backend) finish(t *txn, commits bool) {
	clear(b.local)
	if t == nil {
		return
	}
	if !commits {
		b.restore(t.saved)
	}
	if n := t.end(commits); n > 0 {
		b.node.w.event("commit", b.node.name, n)
		b.commits = append(b.commits, n)
	}
}

// commitImplicit ends the transaction of a flight without a block.
func (b *backend) commitImplicit() error {
	t := b.implicit
	if t == nil {
		return nil
	}
	if err := b.commitFault(t); err != nil {
		return err
	}
	b.implicit = nil
	b.finish(t, true)
	return b.afterCommit(t)
}

// parse makes a prepared statement.
func (b *backend) parse(name, sql string) error {
	st := &statement{sql: sql}
	word, _, _ := strings.Cut(strings.ToLower(sql), " ")
	switch {
	case b.status == 'E' && word != "commit" && word != "rollback":
		return refused{code: "25P02", text: "current transaction is aborted"}
	case makesSettings(sql):
		list, err := knownSettings(sql)
		if err != nil {
			return refused{code: "42601", text: err.Error()}
		}
		st.sets = list
	case fixedStatement(sql):
	default:
		st.def = registry()[sql]
		if st.def == nil {
			b.node.w.violate("the database does not know the statement %s", sql)
			return refused{code: "42601", text: "unknown statement"}
		}
		if err := b.mayUse(st.def); err != nil { // PostgreSQL checks USAGE when it parses
			return err
		}
	}
	if name != "" && b.prepared[name] != nil {
		return refused{code: "42P05", text: "prepared statement already exists"}
	}
	b.prepared[name] = st
	return nil
}

func (b *backend) bind(m *pgproto3.Bind) error {
	st := b.prepared[m.PreparedStatement]
	if st == nil {
		return refused{code: "26000", text: "prepared statement does not exist"}
	}
	word, _, _ := strings.Cut(strings.ToLower(st.sql), " ")
	if b.status == 'E' && word != "commit" && word != "rollback" {
		return refused{code: "25P02", text: "current transaction is aborted"}
	}
	if st.def != nil && m.PreparedStatement != "" && b.faulty(b.node.w.plan.staleness) {
		b.node.w.count("stale statement", 1)
		return refused{code: "0A000", text: "cached plan must not change result type", routine: "RevalidateCachedQuery"}
	}
	p := &portal{statement: st, formats: m.ResultFormatCodes}
	for _, v := range m.Parameters {
		p.args = append(p.args, string(v))
		p.null = append(p.null, v == nil)
	}
	b.portal = p
	return nil
}

// run executes the portal.
func (b *backend) run() error {
	p := b.portal
	switch {
	case p.sets != nil:
		return b.makeSettings(p)
	case p.def != nil:
		if err := b.pause(b.node.w.plan.work(b.rng)); err != nil {
			return err
		}
		if p.def.op == readSlow && b.node.w.plan.slowReads > 0 {
			if err := b.pause(b.node.w.plan.slowReads + b.short(50_000)); err != nil {
				return err
			}
		}
		tag, err := b.call(p)
		if err != nil {
			return err
		}
		if err := b.pause(b.node.w.plan.work(b.rng)); err != nil {
			return err
		}
		b.say(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
		return nil
	}
	tag, err := b.fixed(p)
	if err == nil {
		b.say(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
	return err
}

func (b *backend) makeSettings(p *portal) error {
	b.transaction()
	result := []any{int64(len(p.sets.list))}
	if p.sets.take != sqlgen.NoTake {
		result = b.takeSettings(p.sets.take, nil)
	}
	for _, s := range p.sets.list {
		value := s.value
		if s.param > 0 {
			value = p.args[s.param-1]
		}
		if s.name == "role" && b.node.w.roles[value] == "" {
			return refused{code: "42501", text: "permission denied to set role " + value}
		}
		b.local[s.name] = value
	}
	b.row(p, result)
	b.say(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	return nil
}

// setting is the value that is in force.
func (s *session) setting(name string) string {
	if v, ok := s.local[name]; ok {
		return v
	}
	return s.settings[name]
}

func (s *session) readOnly() bool {
	return s.setting("transaction_read_only") == "on" || s.node.isFenced()
}

// simple runs a simple query: commands with semicolons.
func (b *backend) simple(sql string) error {
	for command := range strings.SplitSeq(sql, ";") {
		if command = strings.TrimSpace(command); command == "" {
			continue
		}
		b.execute = true
		err := b.fault('Q')
		if err == nil {
			err = b.simpleCommand(command)
		}
		b.execute = false
		if err != nil {
			if err = b.tell(err, false); err != nil {
				return err
			}
			return b.ready()
		}
	}
	if err := b.commitImplicit(); err != nil {
		if err = b.tell(err, false); err != nil {
			return err
		}
	}
	return b.ready()
}

func (b *backend) simpleCommand(sql string) error {
	p := &portal{statement: &statement{sql: sql}}
	tag := "OK"
	var err error
	if sql == showReadOnly {
		b.rowDescription(p)
		tag, err = b.fixed(p)
	} else {
		_, err = b.command(sql)
	}
	if err == nil {
		b.say(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
	return err
}
