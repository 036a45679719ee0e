package pgwire_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestResetWithoutBlock: when BEGIN of a reset fails, by a cancel request that arrives late for
// example, the server does not run the flight behind it. Here the server gets another word than BEGIN.
func TestResetWithoutBlock(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI(cluster.NewDB(t), pgtest.Superuser)
	other := dial(t, uri)
	exec(t, other, "create table written (who text)")
	for _, sql := range []string{"insert into written select current_setting('app.who')", "select current_setting('app.who')"} {
		c := dial(t, uri, func(cfg *pgwire.Config) {
			dial := cfg.DialFunc
			cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
				n, err := dial(ctx, network, addr)
				return withoutBegin{n}, err
			}
		})
		exec(t, c, "set app.who = 'alice'")
		c.SessionChanged(pgwire.Dirty)
		rows := new(log)
		_, err := run(c, rows, pgwire.NewStmt(sql))
		var local *pgwire.ConnError
		if !errors.As(err, &local) || local.Kind != pgwire.ResetFailed {
			t.Error(err)
		}
		if got := rows.take(); got != "" {
			t.Errorf("bob was told %s", got)
		}
		if !c.IsBroken() {
			t.Error("the connection is still used")
		}
	}
	if got := value(t, other, "select count(*) from written"); got != "0" {
		t.Error("bob has written as alice")
	}
}

// withoutBegin spoils the BEGIN of a reset.
type withoutBegin struct{ net.Conn }

func (c withoutBegin) Write(b []byte) (int, error) {
	return c.Conn.Write(bytes.Replace(b, []byte("BEGIN ISOLATION"), []byte("BREAK ISOLATION"), 1))
}
