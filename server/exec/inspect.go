package exec

import (
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
)

// Question is a fixed statement that reads the catalog of the database, with
// its only parameter.
type Question struct {
	Stmt *pgwire.Stmt
	Arg  []byte
	// Take takes a row, which is borrowed, and reports whether it has the columns
	// expected.
	Take func(values [][]byte) bool
}

// Inspection is the plan of a call that only asks questions.
var Inspection = NewRunnable(&planner.Plan{ReadOnly: true})

// Ask asks questions in one read-only transaction of the call's role. start is
// called before each attempt, also the first, to drop the rows of the last one. As
// in PostgREST, headers and status that the pre-request function sets are not read.
func (x *Execution) Ask(rules *Rules, call *Call, questions []Question, start func()) error {
	x.begin(rules, call)
	return x.again(func() error { return x.askAlone(questions, start) })
}

func (x *Execution) askAlone(questions []Question, start func()) error {
	conn, err := x.acquire(pool.Alone)
	if err != nil {
		return err
	}
	defer conn.Release()
	for attempt := 0; ; attempt++ {
		start()
		err := x.askOn(conn.Conn, questions)
		var server *pgwire.Error
		if lastAttempt(conn, attempt) || !errors.As(err, &server) || !server.Stale() {
			return err
		}
	}
}

func (x *Execution) askOn(conn *pgwire.Conn, questions []Question) error {
	x.Result.reset()
	tx := x.transaction(false)
	f := &x.flight
	f.Reset()
	f.Limit(x.flightLimit())
	if tx.explicit {
		f.Begin(tx.isolation, true)
	}
	x.addSettings()
	if x.rules.preRequest != nil {
		f.LeavesState(x.rules.sessionState(x.call.Plan.Leftovers, true))
		f.Add(x.rules.preRequest, nil)
	}
	for i := range questions {
		f.Add(questions[i].Stmt, questionSink{question: &questions[i]})
		f.Arg(questions[i].Arg)
	}
	x.note(tx)
	if tx.explicit {
		f.Commit()
	}
	err := x.send(conn)
	if err != nil && tx.explicit {
		return x.rollBack(conn, err)
	}
	return err
}

// questionSink hands rows on.
type questionSink struct {
	sink
	question *Question
}

func (s questionSink) Row(values [][]byte) error {
	if !s.question.Take(values) {
		return errStale
	}
	return nil
}
