package pgwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Merge says how reads that end in the same statement run as one flight. It is immutable
// and shared by them.
//
// The merged flight makes the settings once, which have to be equal, and then runs Stmt.
// It fails if a flight gets several rows, because their order may be another one than that
// of the flight alone. Flights whose arguments are all equal need no Stmt: one of them runs
// for all.
type Merge struct {
	// Stmt returns the rows of all flights, the number of the flight (from 1, as a
	// binary bigint) before the columns of the row. nil: there is no such statement.
	Stmt *Stmt
	// Formats are the result formats of Stmt.
	Formats []int16
	// Lists tells, for each argument of the last step, whether Stmt takes an array
	// of the values of all flights. The other arguments have to be equal.
	Lists []bool
}

// MaxMerged is the most flights that are merged.
const MaxMerged = 16

// CopySink is a Sink that can take the rows that another sink has taken instead of rows.
type CopySink interface {
	Sink
	// CopyFrom is called after Complete of the other sink.
	CopyFrom(Sink) error
}

// MayMerge allows that the flight is merged with others that have the same Merge, the
// same statements and equal settings: the arguments of all steps but the last. The
// flight must only read, and its last step must have a CopySink.
func (f *Flight) MayMerge(m *Merge) { f.merge = m }

// Merges reports whether the flight may be merged.
func (f *Flight) Merges() bool { return f.merge != nil }

// MergesWith reports whether both flights can be merged.
func (f *Flight) MergesWith(g *Flight) bool {
	m := f.merge
	if m == nil || m != g.merge || f.limit != g.limit || f.leaves != g.leaves || len(f.args) != len(g.args) || !f.SameStatements(g) {
		return false
	}
	last := len(f.args) - f.steps[len(f.steps)-1].args
	for i := range f.args {
		if list := i >= last && m.Stmt != nil && m.Lists[i-last]; !list && !f.args[i].equal(g.args[i]) {
			return false
		}
	}
	return true
}

func (a arg) equal(b arg) bool { return a.binary == b.binary && bytes.Equal(a.bytes, b.bytes) }

// sameArgs reports whether two flights that merge ask for the same rows.
func (f *Flight) sameArgs(g *Flight) bool {
	for i := len(f.args) - f.steps[len(f.steps)-1].args; i < len(f.args); i++ {
		if !f.args[i].equal(g.args[i]) {
			return false
		}
	}
	return true
}

func (f *Flight) lastSink() CopySink { return f.steps[len(f.steps)-1].sink.(CopySink) }

// Merger runs flights as one. It is used again after Finish.
type Merger struct {
	flight  Flight
	members []*Flight
	first   []int // of the members with the same arguments, the index of the first
	asked   []int // members whose arguments are in the statement, in order
	text    []byte
	sink    mergedSink

	mu   sync.Mutex // guards left, and the abandoned bits of the members
	left int        // members that have been abandoned
}

// Merge returns the flight that runs all members, at most MaxMerged. They must not change
// until Finish.
func (m *Merger) Merge(members []*Flight) *Flight {
	m.members = append(m.members[:0], members...)
	m.first, m.asked = m.first[:0], m.asked[:0]
	for i, f := range members {
		first := i
		for _, j := range m.asked {
			if f.sameArgs(members[j]) {
				first = j
				break
			}
		}
		if first == i {
			m.asked = append(m.asked, i)
		}
		m.first = append(m.first, first)
	}
	m.build()
	m.mu.Lock()
	m.left = 0
	for _, f := range members {
		f.interruption.abandoned = false
		f.interruption.merger.Store(m)
	}
	m.mu.Unlock()
	return &m.flight
}

// build makes the flight: the settings of the first member, and the statement of all.
func (m *Merger) build() {
	head, f := m.members[0], &m.flight
	f.Reset()
	f.Reused, f.Parsed = 0, 0
	f.limit, f.leaves = head.limit, head.leaves
	f.steps = append(f.steps, head.steps...)
	f.args = append(f.args, head.args...)
	if len(m.asked) == 1 {
		return
	}
	last := &f.steps[len(f.steps)-1]
	last.stmt, last.formats = head.merge.Stmt, head.merge.Formats
	m.sink = mergedSink{m: m}
	last.sink = &m.sink
	m.text = m.text[:0]
	for i, list := range head.merge.Lists {
		if !list {
			continue
		}
		start := len(m.text) // earlier arguments keep the memory that they were written to
		for n, member := range m.asked {
			m.text = append(m.text, "{,"[min(n, 1)])
			m.text = AppendElement(m.text, m.members[member].args[last.arg0+i].bytes)
		}
		m.text = append(m.text, '}')
		f.args[last.arg0+i].bytes = m.text[start:]
	}
}

// AppendElement appends an element of an array in text format (PostgreSQL documentation,
// 8.15.6). Quotes keep an element NULL apart from the null value.
func AppendElement(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, b := range value {
		if b == '"' || b == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, b)
	}
	return append(dst, '"')
}

// Finish ends the merged flight, which Run or Receive returned err for. Without an error
// it gives the rows to the members that ask for the same as another one. It returns the
// error with which all members have failed.
func (m *Merger) Finish(err error) error {
	m.mu.Lock()
	for _, f := range m.members {
		f.interruption.merger.Store(nil)
	}
	m.mu.Unlock()
	for i, f := range m.members {
		f.Reused += m.flight.Reused
		f.Parsed += m.flight.Parsed
		if err == nil && m.first[i] != i {
			err = f.lastSink().CopyFrom(m.members[m.first[i]].lastSink())
		}
	}
	clear(m.members)
	m.members = m.members[:0]
	m.flight.Reset()
	if cap(m.text) > keepOut {
		m.text = nil
	}
	return err
}

// abandon records that the response to a member is not needed. When none is needed the
// merged flight is abandoned.
func (m *Merger) abandon(f *Flight, cause error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.interruption.merger.Load() != m {
		return false // finished meanwhile
	}
	if !f.interruption.abandoned {
		f.interruption.abandoned = true
		m.left++
	}
	return m.left == len(m.members) && m.flight.Abandon(cause)
}

// mergedSink gives each row to the member it is for.
type mergedSink struct {
	m    *Merger
	rows uint32 // bit i: the member asked[i] has a row
}

var (
	errMergedRow = errors.New("a merged statement returned a row without the number of a flight")
	errManyRows  = errors.New("a flight of a merged statement has several rows")
)

func (s *mergedSink) sink(n int) Sink { return s.m.members[s.m.asked[n]].lastSink() }

// Fields implements Sink.
func (s *mergedSink) Fields(fields []pgproto3.FieldDescription) error {
	if len(fields) == 0 {
		return errMergedRow
	}
	return s.sink(0).Fields(fields[1:])
}

// Row implements Sink.
func (s *mergedSink) Row(values [][]byte) error {
	if len(values) == 0 || len(values[0]) != 8 {
		return errMergedRow
	}
	n := binary.BigEndian.Uint64(values[0]) - 1
	if n >= uint64(len(s.m.asked)) {
		return errMergedRow
	}
	if s.rows&(1<<n) != 0 {
		return errManyRows
	}
	s.rows |= 1 << n
	return s.sink(int(n)).Row(values[1:])
}

// Complete implements Sink.
func (s *mergedSink) Complete(tag []byte) {
	for n := range s.m.asked {
		s.sink(n).Complete(tag)
	}
}
