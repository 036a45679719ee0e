package pgwire

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5/pgconn"
)

// target_session_attrs is checked when a connection is made. A failover may take the
// server's role away later and leave the connection open, for example if the old primary
// is fenced, or behind a pooler. All writes on such a connection are refused. So when the
// server refuses a write because the transaction is read-only, the role is checked again.

// ForWriting says that the flight writes. If it is refused because the transaction is
// read-only, the server may have lost its role.
func (f *Flight) ForWriting() { f.writes = true }

// SuspectsFailover reports whether there is reason to call FailedOver.
func (c *Conn) SuspectsFailover() bool { return c.suspectsFailover }

// FailedOver asks the server for its role, and reports whether it has lost the role that
// target_session_attrs asks for. It is false if any role will do.
func (c *Conn) FailedOver(ctx context.Context) bool {
	c.suspectsFailover = false
	if c.cfg.roleQuery == "" {
		return false
	}
	c.SessionChanged(Dirty) // settings of the session may hide the server's role
	lost := false
	err := c.Query(ctx, c.cfg.roleQuery, nil, func(columns [][]byte) error {
		lost = string(columns[0]) == "t"
		return nil
	})
	return err == nil && lost
}

// roleQuery returns the query that tells whether a server has lost the role that
// target_session_attrs asks for, "" if a refused write does not depend on the role.
//
// pgconn keeps of target_session_attrs only the function that checks it, so the function
// is recognized by its address. TestRoleQuery fails if pgconn changes this.
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
