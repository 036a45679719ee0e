package pgwire

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Code that runs in a session can leave state in it that outlives the
// transaction: settings, locks, temporary tables. A session reset removes them
// before the next flight.
//
// # Order of messages
//
// The reset and the flight behind it are one write, and there is no wait
// between them. So the server itself has to skip the flight if the reset fails: a
// write that ran with another request's session state could be committed before we
// read that the reset had failed. The messages are
//
//	Query    BEGIN; CLOSE ALL; ...; DISCARD SEQUENCES
//	Execute  SAVEPOINT reset
//	Execute  select setseed($1)
//	Execute  COMMIT
//	...      the flight
//	Sync
//
// If BEGIN fails, the session is left without a transaction block. If a later command of
// the Query fails, the session is left in a failed block. The server refuses SAVEPOINT in
// both cases, and after an error it skips all messages up to Sync. COMMIT alone is not
// enough, because both cases accept it. If a command after the Query fails, the server
// skips the flight for the same reason. The cause may be a full lock table, a cancel
// request that arrives late, or a timeout that a function has set.
//
// The reset is a transaction of its own because a transaction takes its
// isolation level, and whether it may write, from the session when it begins.
// The reset names its own isolation level for the same reason.
//
// On a shared connection more flights may follow a reset whose outcome is unknown. Each
// of them begins with a reset too. Once one of these resets has succeeded, further flights
// have none. If a later one of them fails, the session is left in a failed block, where the
// server refuses those flights.
//
// # What is reset
//
//	settings, SET ROLE, SET SESSION AUTHORIZATION   RESET
//	session-level advisory locks                    pg_advisory_unlock_all
//	LISTEN                                          UNLISTEN
//	cursors WITH HOLD                               CLOSE ALL
//	tables, functions, types in pg_temp             DISCARD TEMP
//	currval, lastval, cached sequence values        DISCARD SEQUENCES
//	the seed of random()                            setseed, with a random number
//	prepared statements                             DEALLOCATE ALL, for DirtyStatements
//
// Large-object descriptors, snapshots and SET LOCAL end with the transaction.
// Cached plans are kept, which is all that DISCARD ALL would remove in addition.
//
// No command of PostgreSQL 14 to 18 resets the following: global variables of
// PL/Perl, PL/Python and PL/Tcl, connections of dblink, the replication origin
// of the session, libraries loaded by LOAD, and what other extensions keep in
// the memory of the process.

// SessionState is the state that code may have left in a session.
type SessionState uint8

const (
	// Clean: no state.
	Clean SessionState = iota
	// Dirty: any state except prepared statements.
	Dirty
	// DirtyStatements: also prepared statements. The reset deallocates all of them, those
	// of this package included.
	DirtyStatements
)

// resetCommands is the Query. CLOSE ALL comes first, because closing a cursor may run
// code, which must not run as the session user.
const resetCommands = "BEGIN ISOLATION LEVEL READ COMMITTED;CLOSE ALL;RESET SESSION AUTHORIZATION;RESET ALL;" +
	"SELECT pg_catalog.pg_advisory_unlock_all();UNLISTEN *;DISCARD TEMP;DISCARD SEQUENCES"

// resetMessages has the messages by SessionState. The seed is zero, and begins seedAt
// bytes before the end.
var resetMessages = [...][]byte{
	Dirty:           append(queryMessage(resetCommands), resetEnd...),
	DirtyStatements: append(queryMessage(resetCommands+";DEALLOCATE ALL"), resetEnd...),
}

var resetEnd, seedAt = func() (b []byte, seedAt int) {
	const float8 = 701 // OID
	b, _ = (&pgproto3.Parse{Query: "SAVEPOINT reset"}).Encode(nil)
	b, _ = (&pgproto3.Bind{}).Encode(b)
	b = append(b, executeUnnamed...)
	b, _ = (&pgproto3.Parse{Query: "select pg_catalog.setseed($1)", ParameterOIDs: []uint32{float8}}).Encode(b)
	b, _ = (&pgproto3.Bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{make([]byte, 8)}}).Encode(b)
	seed := len(b) - 2 - 8 // the number of result formats follows it
	b = append(b, executeUnnamed...)
	b, _ = (&pgproto3.Parse{Query: "COMMIT"}).Encode(b)
	b, _ = (&pgproto3.Bind{}).Encode(b)
	b = append(b, executeUnnamed...)
	return b, len(b) - seed
}()

// resetEndResponse is the response to resetEnd: ParseComplete, BindComplete and so on.
const resetEndResponse = "12C12DC12C"

func queryMessage(sql string) []byte {
	b, _ := (&pgproto3.Query{String: sql}).Encode(nil)
	return b
}

// SessionChanged says that code ran in the session outside of flights that say so
// themselves. The next flight begins with a reset.
func (c *Conn) SessionChanged(s SessionState) {
	c.session = max(c.session, s)
	c.dirtiedBy = c.flights
}

// LeavesState sets the state that the flight may leave in the session. The next flight on the
// connection then begins with a reset.
func (f *Flight) LeavesState(s SessionState) { f.leaves = s }

// encodeReset adds a reset before a flight that needs one. Inside a transaction block
// the session still belongs to the owner of the block.
func (c *Conn) encodeReset(f *Flight) {
	shared := c.guard != nil // then flights leave no block open, and status belongs to the receiver
	f.resets = c.session != Clean && (shared || c.status == 'I')
	if !f.resets {
		return // fast path
	}
	b := append(c.out.buf, resetMessages[c.session]...)
	seed := 2*rand.Float64() - 1
	binary.BigEndian.PutUint64(b[len(b)-seedAt:], math.Float64bits(seed))
	c.out.buf = b
	if c.session == DirtyStatements {
		c.stmts.clear()
	}
}

// noteState records the state that a flight leaves, once it has been encoded.
func (c *Conn) noteState(f *Flight) {
	c.flights++
	f.number = c.flights
	if f.leaves != Clean {
		c.session, c.dirtiedBy = max(c.session, f.leaves), f.number
	}
}

// wasReset records that the session was clean when the flight began.
func (c *Conn) wasReset(f *Flight) {
	if c.guard != nil {
		c.guard.Lock()
		defer c.guard.Unlock()
	}
	switch {
	case c.dirtiedBy < f.number:
		c.session = Clean
	case c.dirtiedBy == f.number:
		c.session = f.leaves
	}
}

// resetError is the error of a session reset. It hides the server's error from
// errors.As, because that is not an error of the flight.
type resetError struct{ said *Error }

func (e resetError) Error() string { return e.said.Error() }

// readReset reads the response to a reset. If the reset failed, it reads on to
// ReadyForQuery, fails the flight and retires the connection.
func (c *Conn) readReset(f *Flight) error {
	var failure *Error
	inQuery, inBlock, want := true, true, resetEndResponse
	for {
		kind, body, err := c.in.next()
		if err != nil {
			return c.lost(f, err)
		}
		switch {
		case kind == 'E':
			said, end := c.readError(f, body)
			if end != nil {
				return end
			}
			if failure == nil {
				failure = said
			}
			if !inQuery {
				want = "" // the server skips the rest
			}
		case kind == 'Z' && inQuery:
			if state := string(body); (state == "T") != (failure == nil) || !strings.Contains("TEI", state) {
				return c.violation("unexpected state of a transaction")
			}
			inQuery, inBlock = false, string(body) != "I"
		case kind == 'Z' && want == "":
			f.fail(-1, &ConnError{Kind: ResetFailed, Err: resetError{failure}})
			c.retire(f.err)
			return c.ready(f, body)
		case inQuery && (kind == 'T' || kind == 'D' || kind == 'C'):
		case !inQuery && want != "" && kind == want[0] && (failure == nil || !inBlock && kind != 'C'): // the server refuses to execute SAVEPOINT
			if want = want[1:]; want == "" {
				c.wasReset(f)
				return nil
			}
		default:
			if err := c.asyncMessage(kind, body); err != nil {
				return err
			}
		}
	}
}

// retire takes the connection out of use after the flights that are under way.
func (c *Conn) retire(why error) {
	if c.guard != nil {
		c.guard.Lock()
		defer c.guard.Unlock()
	}
	c.retired = why
}

// Retired returns the error of a failed session reset, after which the connection must
// not be used any more, or nil.
func (c *Conn) Retired() error { return c.retired }
