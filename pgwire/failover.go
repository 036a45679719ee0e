package pgwire

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5/pgconn"
)

// target_session_attrs is looked at when a connection is made. Afterwards a
// failover may take the server's role away and leave the connection: where the
// old primary is fenced, where a pooler is in between. A connection that then
// goes on being used refuses every write. So when a flight that was meant to
// write is told that nobody may, there is reason to ask again.

// ForWriting says that the flight was meant to write: if it is refused because
// the transaction is read only, that may be the server's doing.
func (f *Flight) ForWriting() { f.writes = true }

// SuspectsFailover reports whether there is reason to ask FailedOver.
func (c *Conn) SuspectsFailover() bool { return c.suspectsFailover }

// FailedOver asks the server whether it still is what target_session_attrs wants,
// and reports whether it is not. Where that wants nothing in particular, it is.
func (c *Conn) FailedOver(ctx context.Context) bool {
	c.suspectsFailover = false
	if c.cfg.roleQuery == "" {
		return false
	}
	c.SessionChanged(Dirty) // what a session has been told is no word of the server
	lost := false
	err := c.Query(ctx, c.cfg.roleQuery, nil, func(columns [][]byte) error {
		lost = string(columns[0]) == "t"
		return nil
	})
	return err == nil && lost
}

// roleQuery is what asks a server whether it is not what target_session_attrs
// wants, "" where a write tells nothing about that. pgconn keeps only the
// function that decides.
func roleQuery(validate pgconn.ValidateConnectFunc) string {
	if validate == nil {
		return ""
	}
	for _, known := range []struct {
		validate pgconn.ValidateConnectFunc
		query    string
	}{
		{pgconn.ValidateConnectTargetSessionAttrsReadWrite, "SELECT current_setting('transaction_read_only')::bool"},
		{pgconn.ValidateConnectTargetSessionAttrsPrimary, "SELECT pg_catalog.pg_is_in_recovery()"},
	} {
		if reflect.ValueOf(validate).Pointer() == reflect.ValueOf(known.validate).Pointer() {
			return known.query
		}
	}
	return ""
}
