package pgwire

import (
	"github.com/jackc/pgx/v5/pgproto3"
)

// Soil is what the code that ran in a session may have left there for those
// who come after it. Settings made for the rest of a session, locks, temporary
// tables and the like survive the transaction that made them.
type Soil uint8

const (
	// Clean: nothing.
	Clean Soil = iota
	// Soiled: anything but prepared statements.
	Soiled
	// SoiledStatements: prepared statements, too. Ours go with the others.
	SoiledStatements
)

// What a washing consists of. It is DISCARD ALL without the statements and
// plans, which are ours and expensive. The order puts the privileges first.
const wash = "RESET SESSION AUTHORIZATION;RESET ALL;" +
	"SELECT pg_catalog.pg_advisory_unlock_all();" +
	"UNLISTEN *;CLOSE ALL;DISCARD TEMP;DISCARD SEQUENCES"

// washing has the messages by Soil. They are a transaction of their own, ahead
// of the flight's: a transaction takes its isolation level, and whether it may
// write, from the session when it begins.
var washing = [...][]byte{
	Soiled:           queryMessage(wash),
	SoiledStatements: queryMessage(wash + ";DEALLOCATE ALL"),
}

func queryMessage(sql string) []byte {
	b, _ := (&pgproto3.Query{String: sql}).Encode(nil)
	return b
}

// Soil says that code ran in the session outside of flights that say so
// themselves. The next flight begins with a washing.
func (c *Conn) Soil(s Soil) { c.soil = max(c.soil, s) }

// Soils says that running the flight leaves the session like that. The next
// flight on the connection, whoever's it is, begins with a washing.
func (f *Flight) Soils(s Soil) { f.soils = s }

// encodeWash puts a washing in front of a flight that needs it. Inside a
// transaction block the session still belongs to whoever began it.
func (c *Conn) encodeWash(f *Flight) {
	shared := c.guard != nil // then no flight leaves a block open, and status is the receiver's
	f.washes = c.soil != Clean && (shared || c.status == 'I')
	if !f.washes {
		return
	}
	c.out.buf = append(c.out.buf, washing[c.soil]...)
	if c.soil == SoiledStatements {
		c.stmts.clear()
	}
}

// soiled notes, once the flight is sure to go out, what the session will be
// like after it.
func (c *Conn) soiled(f *Flight) {
	if f.washes {
		c.soil = Clean
	}
	c.soil = max(c.soil, f.soils)
}

// readWash reads the answer to a washing. If it failed, the connection is
// given up as soon as the flight behind it, which the server is already
// running, has been answered.
func (c *Conn) readWash(f *Flight) error {
	for {
		kind, body, err := c.in.next()
		if err != nil {
			return c.lost(f, err)
		}
		switch kind {
		case 'T', 'D', 'C', 'I':
		case 'E':
			said, err := serverError(body)
			if err != nil {
				return c.violation(err.Error())
			}
			if said.Fatal() {
				c.breakOff()
				f.fail(-1, said)
				return said
			}
			c.unwashed = true
		case 'Z':
			return nil
		default:
			if err := c.meanwhile(kind, body); err != nil {
				return err
			}
		}
	}
}
