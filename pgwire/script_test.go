package pgwire_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// connectTo opens a connection to a scripted server.
func connectTo(tb testing.TB, s *pgtest.Script, change ...func(*pgwire.Config)) *pgwire.Conn {
	tb.Helper()
	return dial(tb, "host=127.0.0.1 user=u sslmode=disable", append(change, func(cfg *pgwire.Config) { cfg.DialFunc = s.Dial })...)
}

// Short names for what servers say.
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

// answers plays one answer per flight heard and passes on what it heard.
func answers(heard chan<- string, all ...say) func(*pgtest.Session) {
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

// TestMessages is about what is sent, and what is remembered of the answers.
func TestMessages(t *testing.T) {
	a, b, d := pgwire.NewStmt("a"), pgwire.NewStmt("b"), pgwire.NewStmt("d")
	fresh := say{parsed, bound, oneField, oneRow, selected}
	known := say{bound, oneRow, selected}
	type turn struct {
		stmts  []*pgwire.Stmt
		heard  string
		answer say
		fails  int // step, if it fails; -2: does not
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
			{[]*pgwire.Stmt{b}, "BES", join(known), ok},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []say
			for _, turn := range test.turns {
				all = append(all, turn.answer)
			}
			heard := make(chan string, len(all))
			c := connectTo(t, pgtest.NewScript(t, answers(heard, all...)), func(cfg *pgwire.Config) { cfg.Statements = test.limit })
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

// TestOtherSteps is about steps that are not simply rows for a sink.
func TestOtherSteps(t *testing.T) {
	heard := make(chan string, 2)
	answer := say{
		parsed, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{23, 25}}, oneField, // described
		parsed, &pgproto3.ParameterDescription{}, noData, // described, without rows
		parsed, bound, oneRow, selected, // nobody wants the rows
		parsed, bound, noData, &pgproto3.EmptyQueryResponse{}, // an empty statement
		parsed, bound, &pgproto3.CommandComplete{CommandTag: []byte("ROLLBACK")}, // a commit
		idle,
	}
	c := connectTo(t, pgtest.NewScript(t, answers(heard, answer)))
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
		t.Errorf("commit answered with ROLLBACK: %v at step %d", err, f.FailedStep())
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

// TestSinkErrors: the first error ends the delivery, not the flight.
func TestSinkErrors(t *testing.T) {
	boom := errors.New("boom")
	two := say{parsed, bound, oneField, oneRow, oneRow, selected, parsed, bound, oneField, oneRow, selected, idle}
	for _, test := range []struct{ fail, want string }{
		{"row \"1\"", "fields a:25/0\nrow \"1\""},
		{"fields a:25/0", "fields a:25/0"},
	} {
		c := connectTo(t, pgtest.NewScript(t, answers(nil, two, say{bound, oneRow, selected, idle})))
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
	c := connectTo(t, pgtest.NewScript(t, answers(nil, say{parsed, bound, oneField, oneRow, selected, idle})))
	func() {
		defer func() { recover() }()
		_, _ = run(c, nil, pgwire.NewStmt("a"))
	}()
	if !c.IsBroken() {
		t.Error("a connection left in the middle of a flight passes for usable")
	}
}

// TestImpossible: whatever makes no sense ends the connection.
func TestImpossible(t *testing.T) {
	raw := func(kind byte, body string) pgproto3.BackendMessage { return rawMessage{kind, body} }
	start := say{parsed, bound, oneField}
	for name, answer := range map[string]say{
		"ready too early":        {parsed, bound, idle},
		"ready at once":          {idle},
		"rows before bind":       {parsed, oneRow},
		"bind before parse":      {bound},
		"parse twice":            {parsed, parsed},
		"a close never asked":    {closed},
		"description of params":  {parsed, &pgproto3.ParameterDescription{}},
		"suspended":              append(start, &pgproto3.PortalSuspended{}),
		"copy in":                append(start, &pgproto3.CopyInResponse{}),
		"copy out":               append(start, &pgproto3.CopyOutResponse{}),
		"authentication":         {&pgproto3.AuthenticationOk{}},
		"two columns of one":     append(start, &pgproto3.DataRow{Values: [][]byte{nil, nil}}),
		"more after the end":     append(start, selected, selected),
		"unknown kind":           {raw('~', "")},
		"row without a count":    append(start, raw('D', "\x00")),
		"row too short":          append(start, raw('D', "\x00\x01\x00\x00\x00\x05abc")),
		"row too long":           append(start, raw('D', "\x00\x01\x00\x00\x00\x01abc")),
		"row of negative length": append(start, raw('D', "\x00\x01\xff\xff\xff\xfe")),
		"tag without an end":     append(start, raw('C', "SELECT")),
		"fields cut off":         {parsed, bound, raw('T', "\x00\x02a\x00")},
		"error cut off":          {raw('E', "SERR")},
		"parameter cut off":      {raw('S', "a\x00b")},
		"ready for what":         append(start, selected, raw('Z', "X")),
		"ready for nothing":      append(start, selected, raw('Z', "")),
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, pgtest.NewScript(t, answers(nil, answer)))
			var err error
			soon(t, "flight", func() { _, err = run(c, new(log), pgwire.NewStmt("a")) })
			var ce *pgwire.ConnError
			if !errors.As(err, &ce) || ce.Kind != pgwire.Protocol || !ce.Sent || ce.Retryable() {
				t.Errorf("got %v", err)
			}
			if !c.IsBroken() {
				t.Error("not broken")
			}
			if err := c.Run(bg, new(pgwire.Flight)); !errors.As(err, &ce) || ce.Kind != pgwire.Closed || !ce.Retryable() {
				t.Errorf("used again: %v", err)
			}
		})
	}
}

// rawMessage is a message as nobody should send it.
type rawMessage struct {
	kind byte
	body string
}

func (rawMessage) Backend()            {}
func (rawMessage) Decode([]byte) error { return nil }
func (m rawMessage) Encode(dst []byte) ([]byte, error) {
	n := len(m.body) + 4
	return append(append(dst, m.kind, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), m.body...), nil
}

func TestImpossibleLength(t *testing.T) {
	for _, bytes := range []string{"1\x00\x00\x00\x00", "D\x00\x00\x00\x03", "D\xff\xff\xff\xff", "D\x7f\xff\xff\xff"} {
		c := connectTo(t, pgtest.NewScript(t, func(s *pgtest.Session) {
			s.Hear()
			_ = s.Raw([]byte(bytes))
		}))
		_, err := run(c, new(log), pgwire.NewStmt("a"))
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Protocol || !c.IsBroken() {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}

// TestLoss: the server goes away, sooner or later.
func TestLoss(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for _, test := range []struct {
			name     string
			answer   say
			answered bool
		}{
			{"without a word", nil, false},
			{"in the middle", say{parsed, bound}, true},
			{"within a message", say{parsed, rawMessage{'D', "\x00"}, rawMessage{}}, true},
		} {
			s := pgtest.NewScript(t, func(s *pgtest.Session) { s.Hear(); _ = s.Say(test.answer...) })
			if test.name == "within a message" {
				s = pgtest.NewScript(t, func(s *pgtest.Session) { s.Hear(); _ = s.Say(parsed); _ = s.Raw([]byte("D\x00\x00\x00\x09\x00")) })
			}
			s.Plain = plain
			c := connectTo(t, s)
			_, err := run(c, new(log), pgwire.NewStmt("a"))
			var ce *pgwire.ConnError
			if !errors.As(err, &ce) || ce.Kind != pgwire.Lost || !ce.Sent || ce.Answered != test.answered || ce.Retryable() || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("%s: %#v", test.name, err)
			}
			if !c.IsBroken() {
				t.Errorf("%s: not broken", test.name)
			}
		}
	}
}

// TestLossBeforeSending: the flight surely did nothing.
func TestLossBeforeSending(t *testing.T) {
	for _, plain := range []bool{false, true} {
		gone := make(chan struct{})
		s := pgtest.NewScript(t, func(s *pgtest.Session) {
			if !plain { // a pipe keeps nothing
				_ = s.Say(refusal("FATAL", "57P01", "ProcessInterrupts"))
			}
			s.Conn.Close()
			close(gone)
		})
		s.Plain = plain
		c := connectTo(t, s)
		<-gone
		_, err := run(c, new(log), pgwire.NewStmt("a"))
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Lost || ce.Sent || !ce.Retryable() || !c.IsBroken() {
			t.Errorf("plain %v: %#v", plain, err)
		}
		var said *pgwire.Error
		if !plain && (!errors.As(err, &said) || said.Code != "57P01") {
			t.Errorf("the server's last words got lost: %v", err)
		}
	}
}

func TestFatal(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, answers(nil, say{parsed, refusal("FATAL", "57P01", "")})))
	f, err := run(c, new(log), pgwire.NewStmt("a"))
	var said *pgwire.Error
	if !errors.As(err, &said) || !said.Fatal() || said.Code != "57P01" || !c.IsBroken() || f.FailedStep() != -1 {
		t.Errorf("%v at step %d", err, f.FailedStep())
	}
}

// TestMeanwhile: some messages may come between any two others.
func TestMeanwhile(t *testing.T) {
	var answer say
	for _, m := range (say{parsed, bound, oneField, oneRow, selected, refusal("ERROR", "23505", ""), idle}) {
		answer = append(answer, notice, parameter, notify, m)
	}
	var notices, notified int
	c := connectTo(t, pgtest.NewScript(t, answers(nil, answer)), func(cfg *pgwire.Config) {
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
		c := connectTo(t, pgtest.NewScript(t, answers(nil, say{&pgproto3.ParameterStatus{Name: "server_version", Value: text}, idle})))
		if err := c.Exec(bg, "x"); err != nil {
			t.Fatal(err)
		}
		if got := c.ServerVersion(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestErrorFields: nothing of what the server says is lost.
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
	c := connectTo(t, pgtest.NewScript(t, answers(nil, say{m, idle})))
	_, err := run(c, new(log), pgwire.NewStmt("a"))
	var said *pgwire.Error
	if !errors.As(err, &said) || *said != want {
		t.Errorf("got %+v", said)
	}
	if said.Error() != "ERROR: m (SQLSTATE P0001)" {
		t.Errorf("text %q", said.Error())
	}
}

// TestUnsendable: nothing is sent, nothing is broken.
func TestUnsendable(t *testing.T) {
	c := connectTo(t, pgtest.NewScript(t, answers(nil, say{parsed, bound, oneField, selected, idle})))
	many := new(pgwire.Flight)
	many.Add(pgwire.NewStmt("a"), nil)
	for range 1 << 16 {
		many.Arg(nil)
	}
	zero := new(pgwire.Flight)
	zero.Add(pgwire.NewStmt("select 1\x00; drop table t"), nil)
	for _, err := range []error{c.Run(bg, many), c.Run(bg, zero), c.Exec(bg, "a\x00b")} {
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.Unsendable || c.IsBroken() {
			t.Errorf("got %v", err)
		}
	}
	if _, err := run(c, new(log), pgwire.NewStmt("a")); err != nil {
		t.Error(err)
	}
}

// TestBothTalk: the server does not read before it has been listened to.
func TestBothTalk(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for _, size := range []int{100, 20 << 10, 1 << 20, 20 << 20} {
			s := pgtest.NewScript(t, func(s *pgtest.Session) {
				for range 2000 {
					_ = s.Say(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: strings.Repeat("x", 2000)})
				}
				s.Hear()
				_ = s.Say(parsed, bound, selected, idle)
				s.Hear()
			})
			s.Plain = plain
			if plain && size < 10<<10 {
				continue // what is that small is trusted to be taken, and a pipe takes nothing
			}
			c := connectTo(t, s)
			arg := make([]byte, size)
			var f pgwire.Flight
			f.Add(pgwire.NewStmt("a"), nil)
			f.Arg(arg)
			f.Arg(nil)
			f.Arg(arg[:size/2])
			var err error
			soon(t, "flight", func() { err = c.Run(bg, &f) })
			if err != nil {
				t.Errorf("plain %v, %d bytes: %v", plain, size, err)
			}
		}
	}
}

// TestLargeFlightLost: the sender of a large flight never outlives it.
func TestLargeFlightLost(t *testing.T) {
	for name, play := range map[string]func(*pgtest.Session){
		"gone":    func(s *pgtest.Session) {},
		"fatal":   func(s *pgtest.Session) { _ = s.Say(refusal("FATAL", "53200", "")) },
		"no ears": func(s *pgtest.Session) { _ = s.Say(parsed, bound, selected, idle); time.Sleep(2 * time.Second) },
	} {
		for _, plain := range []bool{false, true} {
			s := pgtest.NewScript(t, play)
			s.Plain = plain
			c := connectTo(t, s)
			var f pgwire.Flight
			f.Add(pgwire.NewStmt("a"), nil)
			f.Arg(make([]byte, 20<<20))
			var err error
			soon(t, name, func() { err = c.Run(bg, &f) })
			if err == nil || !c.IsBroken() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// overdue is a context whose deadline is the moment in which a channel is closed.
type overdue struct {
	context.Context
	moment chan struct{}
}

func (o overdue) Done() <-chan struct{} { return o.moment }

func (o overdue) Err() error {
	select {
	case <-o.moment:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestInterrupt: what may come of a cancel request.
func TestInterrupt(t *testing.T) {
	cause := errors.New("client went away")
	canceled := refusal("ERROR", "57014", "ProcessInterrupts")
	for _, test := range []struct {
		name   string
		answer func(*pgtest.Session, chan struct{}) // the channel: the request has arrived
		kind   pgwire.Kind                          // 0: no error
		broken bool
	}{
		{"it is obeyed", func(s *pgtest.Session, asked chan struct{}) { <-asked; _ = s.Say(parsed, canceled, idle) }, pgwire.Canceled, false},
		{"it comes too late", func(s *pgtest.Session, asked chan struct{}) {
			<-asked
			_ = s.Say(parsed, bound, oneField, selected, idle)
		}, 0, true},
		{"it is ignored", func(*pgtest.Session, chan struct{}) {}, pgwire.Canceled, true},
		{"the server goes", func(s *pgtest.Session, asked chan struct{}) { <-asked; s.Conn.Close() }, pgwire.Canceled, true},
	} {
		for _, how := range []string{"interrupt", "abandon", "cancel", "deadline"} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				asked, started := make(chan struct{}), make(chan struct{})
				s := pgtest.NewScript(t, func(s *pgtest.Session) {
					s.Hear()
					close(started)
					test.answer(s, asked)
					s.Hear() // that the client has gone
				})
				c := connectTo(t, s, func(cfg *pgwire.Config) {
					if test.name == "it is ignored" {
						cfg.CancelWait = 50 * time.Millisecond
					}
				})
				go func() {
					if <-s.Cancels == 1 {
						close(asked)
					}
				}()
				var f pgwire.Flight
				f.Add(pgwire.NewStmt("a"), new(log))
				ctx, want := bg, cause
				switch how {
				case "interrupt":
					go func() {
						<-started
						if !f.Interrupt(cause) {
							t.Error("nothing to interrupt")
						}
					}()
				case "abandon":
					go func() {
						<-started
						if !f.Abandon(cause) {
							t.Error("nothing to interrupt")
						}
						if f.Abandon(cause) || f.Interrupt(cause) {
							t.Error("interrupted twice")
						}
					}()
				case "cancel":
					var cancel context.CancelCauseFunc
					ctx, cancel = context.WithCancelCause(bg)
					go func() { <-started; cancel(cause) }()
				case "deadline":
					ctx, want = overdue{bg, started}, context.DeadlineExceeded
				}
				var err error
				soon(t, "flight", func() { err = c.Run(ctx, &f) })
				var ce *pgwire.ConnError
				if test.kind == 0 && err != nil || test.kind != 0 && (!errors.As(err, &ce) || ce.Kind != test.kind || !ce.Sent || !errors.Is(err, want)) {
					t.Errorf("got %#v", err)
				}
				if c.IsBroken() != test.broken {
					t.Errorf("broken: %v", c.IsBroken())
				}
				if f.Interrupt(cause) || f.Abandon(cause) {
					t.Error("interrupted what was over")
				}
			})
		}
	}
}

func TestEndedContext(t *testing.T) {
	heard := make(chan string, 1)
	c := connectTo(t, pgtest.NewScript(t, answers(heard)))
	ctx, cancel := context.WithCancel(bg)
	cancel()
	var f pgwire.Flight
	f.Add(pgwire.NewStmt("a"), nil)
	var ce *pgwire.ConnError
	if err := c.Run(ctx, &f); !errors.As(err, &ce) || ce.Kind != pgwire.Canceled || ce.Sent || c.IsBroken() || len(heard) > 0 {
		t.Errorf("%#v", err)
	}
}

// TestCheck: what a look at an idle connection tells.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*pgtest.Session)
		dead bool
	}{
		{"nothing happened", func(s *pgtest.Session) {}, false},
		{"news", func(s *pgtest.Session) { _ = s.Say(parameter, notice) }, false},
		{"a part of a message", func(s *pgtest.Session) { _ = s.Raw([]byte("S\x00\x00\x00\x40Ti")) }, false},
		{"a large message", func(s *pgtest.Session) {
			_ = s.Say(&pgproto3.NoticeResponse{Message: strings.Repeat("x", 100_000)})
		}, false},
		{"the end", func(s *pgtest.Session) { s.Conn.Close() }, true},
		{"an error", func(s *pgtest.Session) { _ = s.Say(refusal("FATAL", "57P01", "")) }, true},
		{"nonsense", func(s *pgtest.Session) { _ = s.Say(oneRow) }, true},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				happened := make(chan struct{})
				s := pgtest.NewScript(t, func(s *pgtest.Session) {
					go func() { test.do(s); close(happened) }()
					for s.Hear() != "" {
					}
				})
				s.Plain = plain
				c := connectTo(t, s)
				if !plain {
					<-happened
				}
				var err error
				looks := 0 // after it has happened; over a pipe, only reading makes it happen
				pgtest.Until(time.Minute, func() bool {
					select {
					case <-happened:
						looks++
					default:
					}
					err = c.Check()
					return err != nil || looks > 5 && !test.dead
				})
				if (err != nil) != test.dead || c.IsBroken() != test.dead {
					t.Errorf("%v, broken %v", err, c.IsBroken())
				}
			})
		}
	}
}
