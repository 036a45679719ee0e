package exec

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// TestRefusedRollback: a call with an outdated statement is not run again in a transaction
// block that cannot be rolled back.
func TestRefusedRollback(t *testing.T) {
	stale := &pgproto3.ErrorResponse{Severity: "ERROR", Code: pgwire.FeatureNotSupported, Message: "stale", Routine: "RevalidateCachedQuery"}
	refused := &pgproto3.ErrorResponse{Severity: "ERROR", Code: pgwire.QueryCanceled, Message: "no rollback"}
	plan := NewRunnable(&planner.Plan{ReadOnly: true, Main: sqlgen.Statement{SQL: "select 1"}})
	rules := NewRules(&config.Config{DBSchemas: []string{"api"}}, Session{Isolation: pgwire.RepeatableRead}, planner.New(&catalog.Catalog{}, defaults))
	for name, run := range map[string]func(x *Execution, call *Call) error{
		"call":      func(x *Execution, call *Call) error { return x.Run(rules, call) },
		"questions": func(x *Execution, call *Call) error { return x.Ask(rules, call, nil, func() {}) },
		"batch": func(x *Execution, call *Call) error {
			return x.Transact(rules, call, Batch{ReadOnly: true}, func(tx *Transaction) error {
				part := &Part{Execution: x.engine.New(), Call: call}
				_, err := tx.Run(rules, []*Part{part}, true)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			script := pgtest.NewScript(t, func(s *pgtest.Session) {
				for answer := stale; s.Hear() != "" && s.Say(answer, pgtest.Ready('E')) == nil; answer = refused {
				}
			})
			cfg, err := pgwire.ParseConfig("host=127.0.0.1 user=u sslmode=disable")
			if err != nil {
				t.Fatal(err)
			}
			cfg.DialFunc = script.Dial
			p, err := pool.New(pool.Options{Config: cfg, MaxConns: 1, AcquireTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			store, err := spool.NewStore("", spool.Limits{Body: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			log := oplog.New(oplog.Options{})
			defer log.Close()
			engine := &Engine{Pool: p, Spool: store, Log: log, Suspect: func() {}}
			err = run(engine.New(), &Call{Plan: plan, Without: rules.Without(plan), LogID: func() []byte { return nil }})
			p.Close()
			var said *pgwire.Error
			if !errors.As(err, &said) || said.Message != stale.Message {
				t.Errorf("the call fails with %v", err)
			}
		})
	}
}
