package pgwire_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// connectTo opens a connection to a scripted server.
func connectTo(tb testing.TB, s *pgtest.Script, change ...func(*pgwire.Config)) *pgwire.Conn {
	tb.Helper()
	return dial(tb, "host=127.0.0.1 user=u sslmode=disable", append(change, func(cfg *pgwire.Config) { cfg.DialFunc = s.Dial })...)
}

// Messages of a server.
var (
	parsed    = &pgproto3.ParseComplete{}
	bound     = &pgproto3.BindComplete{}
	closed    = &pgproto3.CloseComplete{}
	noData    = &pgproto3.NoData{}
	oneField  = &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a"), DataTypeOID: 25}}}
	oneRow    = &pgproto3.DataRow{Values: [][]byte{[]byte("1")}}
	selected  = &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	notice    = &pgproto3.NoticeResponse{Severity: "NOTICE", SeverityUnlocalized: "NOTICE", Code: "00000", Message: "hear"}
	parameter = &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"}
	notify    = &pgproto3.NotificationResponse{PID: 1, Channel: "c", Payload: "p"}
	idle      = pgtest.Ready('I')
)

func refusal(severity, code, routine string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: severity, SeverityUnlocalized: severity, Code: code, Message: "no", Routine: routine}
}

type say = []pgproto3.BackendMessage

// responses sends one response per flight and passes on the messages it received.
func responses(heard chan<- string, all ...say) func(*pgtest.Session) {
	return func(s *pgtest.Session) {
		for _, one := range all {
			h := s.Hear()
			if heard != nil {
				heard <- h
			}
			if h == "" || s.Say(one...) != nil {
				return
			}
		}
		for { // the client closes first
			h := s.Hear()
			if h == "" || h == "X" {
				return
			}
			if heard != nil {
				heard <- h
			}
		}
	}
}

// run runs a flight of the statements, each with a sink.
func run(c *pgwire.Conn, l *log, stmts ...*pgwire.Stmt) (*pgwire.Flight, error) {
	f := new(pgwire.Flight)
	for _, s := range stmts {
		f.Add(s, l)
	}
	return f, c.Run(bg, f)
}

// TestMessages checks the messages that are sent, and the statements that are kept.
func TestMessages(t *testing.T) {
	a, b, d := pgwire.NewStmt("a"), pgwire.NewStmt("b"), pgwire.NewStmt("d")
	fresh := say{parsed, bound, oneField, oneRow, selected}
	known := say{bound, oneRow, selected}
	type turn struct {
		stmts    []*pgwire.Stmt
		heard    string
		response say
		fails    int // step, if it fails; -2: does not
	}
	join := func(parts ...say) say {
		var all say
		for _, p := range parts {
			all = append(all, p...)
		}
		return append(all, idle)
	}
	const ok = -2
	syntax, stale, gone := refusal("ERROR", "42601", ""), refusal("ERROR", "0A000", "RevalidateCachedQuery"), refusal("ERROR", "26000", "")
	for _, test := range []struct {
		name  string
		limit int
		turns []turn
	}{
		{"parsed once", 10, []turn{
			{[]*pgwire.Stmt{a, b}, "PBDEPBDES", join(fresh, fresh), ok},
			{[]*pgwire.Stmt{a, b}, "BEBES", join(known, known), ok},
			{[]*pgwire.Stmt{b, d, d}, "BEPBDEBES", join(known, fresh, known), ok},
		}},
		{"never, without room", 0, []turn{
			{[]*pgwire.Stmt{a, a}, "PBDEPBDES", join(fresh, fresh), ok},
			{[]*pgwire.Stmt{a}, "PBDES", join(fresh), ok},
		}},
		{"the least recently used goes", 2, []turn{
			{[]*pgwire.Stmt{a}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{b}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{a}, "BES", join(known), ok},
			{[]*pgwire.Stmt{d}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{a}, "CBES", join(say{closed}, known), ok},
			{[]*pgwire.Stmt{b}, "PBDES", join(fresh), ok},
		}},
		{"nothing goes that the flight needs", 2, []turn{
			{[]*pgwire.Stmt{a, b}, "PBDEPBDES", join(fresh, fresh), ok},
			{[]*pgwire.Stmt{d, a, b}, "PBDEBEBES", join(fresh, known, known), ok},
			{[]*pgwire.Stmt{d}, "BES", join(known), ok},
		}},
		{"more than fit", 1, []turn{
			{[]*pgwire.Stmt{a, b, a}, "PBDEPBDEBES", join(fresh, fresh, known), ok},
			{[]*pgwire.Stmt{d}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{d}, "CCBES", join(say{closed, closed}, known), ok},
		}},
		{"what failed to parse is not parsed", 10, []turn{
			{[]*pgwire.Stmt{a, b, d}, "PBDEPBDEPBDES", join(fresh, say{syntax}), 1},
			{[]*pgwire.Stmt{a, b, d}, "BEPBDEPBDES", join(known, fresh, fresh), ok},
		}},
		{"what was parsed stays parsed", 10, []turn{
			{[]*pgwire.Stmt{a, b}, "PBDEPBDES", join(fresh, say{parsed, bound, oneField, syntax}), 1},
			{[]*pgwire.Stmt{a, b}, "BEBES", join(known, known), ok},
			{[]*pgwire.Stmt{a, b}, "BEBES", join(say{bound, syntax}), 0},
			{[]*pgwire.Stmt{d}, "PBDES", join(say{parsed, syntax}), 0},
			{[]*pgwire.Stmt{d}, "BES", join(known), ok},
		}},
		{"the end of the transaction fails", 10, []turn{
			{[]*pgwire.Stmt{a}, "PBDES", join(fresh, say{syntax}), 1},
			{[]*pgwire.Stmt{a}, "BES", join(known), ok},
		}},
		{"a statement of other columns is replaced", 10, []turn{
			{[]*pgwire.Stmt{a, b}, "PBDEPBDES", join(fresh, fresh), ok},
			{[]*pgwire.Stmt{a, b}, "BEBES", join(known, say{stale}), 1},
			{[]*pgwire.Stmt{a, b}, "CBEPBDES", join(say{closed}, known, fresh), ok},
		}},
		{"deallocated statements are forgotten", 10, []turn{
			{[]*pgwire.Stmt{a, b}, "PBDEPBDES", join(fresh, fresh), ok},
			{[]*pgwire.Stmt{a, b}, "BEBES", join(say{gone}), 0},
			{[]*pgwire.Stmt{a, b}, "CCPBDEPBDES", join(say{closed, closed}, fresh, fresh), ok},
		}},
		{"a closing that fails", 1, []turn{
			{[]*pgwire.Stmt{a}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{b}, "PBDES", join(fresh), ok},
			{[]*pgwire.Stmt{b}, "CBES", join(say{syntax}), -1},
			{[]*pgwire.Stmt{b}, "CBES", join(say{closed}, known), ok},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []say
			for _, turn := range test.turns {
				all = append(all, turn.response)
			}
			heard := make(chan string, len(all))
			c := connectTo(t, pgtest.NewScript(t, responses(heard, all...)), func(cfg *pgwire.Config) { cfg.Statements = test.limit })
			for i, turn := range test.turns {
				f, err := run(c, new(log), turn.stmts...)
				if h := <-heard; h != turn.heard {
					t.Errorf("turn %d: heard %s, want %s", i, h, turn.heard)
				}
				switch {
				case turn.fails == ok && err != nil:
					t.Errorf("turn %d: %v", i, err)
				case turn.fails != ok && (err == nil || f.FailedStep() != turn.fails):
					t.Errorf("turn %d: %v at step %d, want %d", i, err, f.FailedStep(), turn.fails)
				}
				if c.IsBroken() {
					t.Fatalf("turn %d: broken", i)
				}
			}
		})
	}
}

// TestOtherSteps checks steps that do not deliver rows to a sink.
func TestOtherSteps(t *testing.T) {
	heard := make(chan string, 2)
	response := say{
		parsed, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{23, 25}}, oneField, // described
		parsed, &pgproto3.ParameterDescription{}, noData, // described, without rows
		parsed, bound, oneRow, selected, // no sink for the rows
		parsed, bound, noData, &pgproto3.EmptyQueryResponse{}, // an empty statement
		parsed, bound, &pgproto3.CommandComplete{CommandTag: []byte("ROLLBACK")}, // a commit
		idle,
	}
	c := connectTo(t, pgtest.NewScript(t, responses(heard, response)))
	var f pgwire.Flight
	var d1, d2 pgwire.Description
	var l log
	f.Describe(pgwire.NewStmt("a"), &d1)
	f.Describe(pgwire.NewStmt("b"), &d2)
	f.Add(pgwire.NewStmt("c"), nil)
	f.Add(pgwire.NewStmt(""), &l)
	f.Commit()
	err := c.Run(bg, &f)
	var ce *pgwire.ConnError
	if !errors.As(err, &ce) || ce.Kind != pgwire.RolledBack || f.FailedStep() != 4 || c.IsBroken() {
		t.Errorf("commit the response is ROLLBACK: %v at step %d", err, f.FailedStep())
	}
	if h := <-heard; h != "PDPDPBEPBDEPBES" {
		t.Errorf("heard %s", h)
	}
	if len(d1.Params) != 2 || d1.Params[1] != 25 || len(d1.Fields) != 1 || d1.Fields[0].Name != "a" || d1.Fields[0].Type != 25 {
		t.Errorf("described as %+v", d1)
	}
	if len(d2.Params) != 0 || len(d2.Fields) != 0 {
		t.Errorf("described as %+v", d2)
	}
	if got := l.take(); got != "complete " {
		t.Errorf("empty statement: %q", got)
	}
}

// TestSinkErrors: the first error ends the delivery of rows, not the flight.
func TestSinkErrors(t *testing.T) {
	boom := errors.New("boom")
	two := say{parsed, bound, oneField, oneRow, oneRow, selected, parsed, bound, oneField, oneRow, selected, idle}
	for _, test := range []struct{ fail, want string }{
		{"row \"1\"", "fields a:25/0\nrow \"1\""},
		{"fields a:25/0", "fields a:25/0"},
	} {
		c := connectTo(t, pgtest.NewScript(t, responses(nil, two, say{bound, oneRow, selected, idle})))
		a, b := pgwire.NewStmt("a"), pgwire.NewStmt("b")
		l := log{fail: map[string]error{test.fail: boom}}
		f, err := run(c, &l, a, b)
		if err != boom || f.FailedStep() != 0 || c.IsBroken() {
			t.Errorf("%s: %v at step %d", test.fail, err, f.FailedStep())
		}
		if got := l.take(); got != test.want {
			t.Errorf("%s: told %s", test.fail, got)
		}
		if _, err := run(c, new(log), b); err != nil {
			t.Errorf("%s: the connection is of no use: %v", test.fail, err)
		}
	}
}

func TestSinkPanics(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, responses(nil, say{parsed, bound, oneField, oneRow, selected, idle})))
	func() {
		defer func() { recover() }()
		_, _ = run(c, nil, pgwire.NewStmt("a"))
	}()
	if !c.IsBroken() {
		t.Error("a connection left in the middle of a flight passes for usable")
	}
}

// TestAsyncMessages: some messages may arrive between any two others.
func TestAsyncMessages(t *testing.T) {
	var response say
	for _, m := range (say{parsed, bound, oneField, oneRow, selected, refusal("ERROR", "23505", ""), idle}) {
		response = append(response, notice, parameter, notify, m)
	}
	var notices, notified int
	c := connectTo(t, pgtest.NewScript(t, responses(nil, response)), func(cfg *pgwire.Config) {
		cfg.OnNotice = func(e *pgwire.Error) { notices++ }
		cfg.OnNotification = func(channel, payload string) { notified++ }
	})
	_, err := run(c, new(log), pgwire.NewStmt("a"))
	var said *pgwire.Error
	if !errors.As(err, &said) || said.Code != "23505" {
		t.Error(err)
	}
	if notices != 7 || notified != 7 || c.ParameterStatus("TimeZone") != "UTC" {
		t.Errorf("%d notices, %d notifications, TimeZone %q", notices, notified, c.ParameterStatus("TimeZone"))
	}
	if v := c.ServerVersion(); v != 150003 {
		t.Errorf("version %d", v)
	}
}

func TestServerVersion(t *testing.T) {
	versions := map[string]int{"15.18 (Debian 15.18-0+deb12u1)": 150018, "18beta1": 180000, "17.0": 170000, "devel": 0, "": 0}
	for text, want := range versions {
		c := connectTo(t, pgtest.NewScript(t, responses(nil, say{&pgproto3.ParameterStatus{Name: "server_version", Value: text}, idle})))
		if err := c.Exec(bg, "x"); err != nil {
			t.Fatal(err)
		}
		if got := c.ServerVersion(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestErrorFields: all fields of an error are kept.
func TestErrorFields(t *testing.T) {
	m := &pgproto3.ErrorResponse{
		Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "P0001", Message: "m", Detail: "d", Hint: "h", Position: 3,
		InternalPosition: 4, InternalQuery: "q", Where: "w", SchemaName: "s", TableName: "t", ColumnName: "c", DataTypeName: "dt",
		ConstraintName: "co", File: "f.c", Line: 12, Routine: "r",
	}
	want := pgwire.Error{
		Severity: "ERROR", Code: "P0001", Message: "m", Detail: "d", Hint: "h", Position: 3, InternalPosition: 4, InternalQuery: "q",
		Where: "w", Schema: "s", Table: "t", Column: "c", DataType: "dt", Constraint: "co", File: "f.c", Line: 12, Routine: "r",
	}
	c := connectTo(t, pgtest.NewScript(t, responses(nil, say{m, idle})))
	_, err := run(c, new(log), pgwire.NewStmt("a"))
	var said *pgwire.Error
	if !errors.As(err, &said) || *said != want {
		t.Errorf("got %+v", said)
	}
	if said.Error() != "ERROR: m (SQLSTATE P0001)" {
		t.Errorf("text %q", said.Error())
	}
}
