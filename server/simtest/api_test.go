package simtest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/oplog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// api stands in for the handlers of package server.
type api struct {
	pool     *pool.Pool
	engine   *exec.Engine
	log      *oplog.Logger
	snapshot atomic.Pointer[snapshot]

	mu   sync.Mutex
	free []*execution // requests are pooled: the one that ended last comes first
}

// snapshot is server.Snapshot.
type snapshot struct {
	auth    *auth.Authenticator
	planner *planner.Planner
	rules   *exec.Rules
	key     int // of tokens
}

// execution has what a request keeps between requests.
type execution struct {
	*exec.Execution
	call  exec.Call
	query parser.Query
	body  body.Payload
	plan  planner.Request
	pref  header.Prefer
}

// request is what a client asks for.
type request struct {
	op    operation
	id    int64
	value string
	role  string
	key   int // that signs the token
	sub   int // of the claims
	rolls bool
	parts []request // of a batch
	apart bool      // the parts of a batch are several flights

	leavesAfter time.Duration // the client goes away; 0: it waits
}

func secret(number int) []byte {
	return []byte("0123456789abcdef0123456789abcdef" + strconv.Itoa(number))
}

// maxKeys is how many keys there are, and maxSubs how many subjects.
const maxKeys, maxSubs = 4, 10

type identity struct {
	key  int
	role string
	sub  int
}

// tokens are made once: signing takes time.
var tokens = func() map[identity][]byte {
	all := map[identity][]byte{}
	for i := range maxKeys * maxSubs {
		for _, role := range roleNames {
			id := identity{i / maxSubs, role, i % maxSubs}
			all[id] = []byte("Bearer " + authtest.Sign([]byte(claims(role, strconv.Itoa(id.sub))), secret(id.key)))
		}
	}
	return all
}()

func claims(role, sub string) string { return `{"role":"` + role + `","sub":"` + sub + `"}` }

var configURI = func() *pgwire.Config {
	c, err := pgwire.ParseConfig("postgres://authenticator@a:5432,b:5432/db?sslmode=disable&target_session_attrs=read-write")
	if err != nil {
		panic(err)
	}
	return c
}()

var configPlain = func() *pgwire.Config {
	c, err := pgwire.ParseConfig("postgres://authenticator@a:5432/db?sslmode=disable")
	if err != nil {
		panic(err)
	}
	return c
}()

// newAPI makes the server, as server.newServer does.
func newAPI(w *world) (*api, error) {
	p := w.plan
	base := configPlain
	if p.failover {
		base = configURI
	}
	cfg := base.Copy()
	cfg.DialFunc = w.dial
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.Statements = p.statements
	a := &api{log: oplog.New(oplog.Options{})}
	var err error
	a.pool, err = pool.New(pool.Options{
		Config: cfg, MaxConns: p.conns, Depth: p.depth, Reserve: p.reserve, FlightTimeout: p.flightTimeout,
		AcquireTimeout: p.acquireTimeout, MaxWaiters: p.maxWaiters, MaxIdleTime: p.maxIdle, MaxLifetime: p.maxLife,
	})
	if err != nil {
		return nil, err
	}
	store, err := spool.NewStore("", spool.Limits{Body: 1 << 20})
	if err != nil {
		return nil, err
	}
	a.engine = &exec.Engine{Pool: a.pool, Spool: store, Log: a.log, Suspect: func() {}}
	return a, a.install(w, 0)
}

// install puts a new catalog in force, as server.applyCatalog does.
func (a *api) install(w *world, key int) error {
	s := &snapshot{planner: newPlanner(), key: key}
	var err error
	if s.auth, err = auth.New(auth.Options{Secret: secret(key), RoleClaimKey: ".role", CacheMaxEntries: 100}); err != nil {
		return err
	}
	s.rules = exec.NewRules(&config.Config{
		DBSchemas: []string{"api"}, DBCoalescing: w.plan.coalescing, DBFlightTimeout: w.plan.flightTimeout,
		DBRequestSettings: config.RequestSettings{Method: true, Path: true, Headers: true, Cookies: true, Auto: w.plan.auto},
	}, exec.Session{DateStyle: "ISO, MDY", StatementTimeout: w.plan.statementTimeout}, s.planner)
	a.snapshot.Store(s)
	return nil
}

var errGone = errors.New("the client has gone away")

// result is what the client gets.
type result struct {
	err  error
	body string
	rows int64
}

func (a *api) take() *execution {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		x := a.free[n-1]
		a.free = a.free[:n-1]
		return x
	}
	return &execution{Execution: a.engine.New()}
}

// give lets go of a request.
func (a *api) give(x *execution) {
	x.Reset()
	x.plan.Reset()
	x.query.Reset()
	x.body.Reset()
	x.call = exec.Call{}
	a.mu.Lock()
	a.free = append(a.free, x)
	a.mu.Unlock()
}

// serve serves a request.
func (a *api) serve(r *request) result {
	s := a.snapshot.Load()
	who, err := s.auth.Identify(tokens[identity{r.key, r.role, r.sub}], time.Now())
	if err != nil {
		return result{err: err}
	}
	x := a.take()
	defer a.give(x)
	if r.op == batch {
		return a.serveBatch(s, x, r, who)
	}
	kept, err := plan(s.planner, r, x)
	if err != nil {
		return result{err: err}
	}
	x.fill(s, kept, r, who)
	defer x.watched(r, kept.ReadOnly)()
	if err = x.Run(s.rules, &x.call); err != nil {
		return result{err: err}
	}
	return result{body: string(x.Result.Body.Bytes), rows: x.Result.Rows}
}

func (x *execution) fill(s *snapshot, kept *exec.Runnable, r *request, who auth.Identity) {
	x.call = exec.Call{
		Plan: kept, Without: s.rules.Without(kept),
		Settings: [sqlgen.RequestSettings][]byte{
			sqlgen.SettingRole: []byte(who.Role), sqlgen.SettingClaims: who.Claims,
			sqlgen.SettingMethod: []byte("GET"), sqlgen.SettingPath: []byte("/" + r.op.String()), sqlgen.SettingHeaders: []byte("{}"), sqlgen.SettingCookies: []byte("{}"),
		},
		Rollback: r.rolls, Values: x.query.Values, Top: x.plan.Top, Ranges: x.query.Ranges, Payload: x.body.Raw,
		LogID: func() []byte { return nil },
	}
	if kept.Action == planner.CallGet {
		x.call.Args, x.call.PayloadForm = x.query.Args, exec.PayloadArgs
	}
}

// batchOfWrites is the plan of a batch that may write.
var batchOfWrites = exec.NewRunnable(&planner.Plan{})

// serveBatch serves a batch, as server.batchRun does.
func (a *api) serveBatch(s *snapshot, x *execution, r *request, who auth.Identity) result {
	var parts []*exec.Part
	for i := range r.parts {
		part := a.take()
		defer a.give(part)
		kept, err := plan(s.planner, &r.parts[i], part)
		if err != nil {
			return result{err: err}
		}
		part.fill(s, kept, &r.parts[i], who)
		parts = append(parts, &exec.Part{Execution: part.Execution, Call: &part.call})
	}
	x.call = exec.Call{Plan: batchOfWrites, LogID: func() []byte { return nil }}
	x.call.Settings[sqlgen.SettingRole] = []byte(who.Role)
	defer x.watched(r, false)()
	err := x.Transact(s.rules, &x.call, exec.Batch{Rollback: r.rolls}, func(t *exec.Transaction) error {
		rest := parts
		if r.apart {
			if _, err := runParts(t, s, parts[:1], false); err != nil {
				return err
			}
			rest = parts[1:]
		}
		over, err := runParts(t, s, rest, true)
		switch {
		case over && err != nil && !r.rolls:
			return &exec.DoubtError{Err: err}
		case over || err != nil:
			return err
		}
		return t.Commit()
	})
	return result{err: err, rows: int64(len(parts))}
}

func runParts(t *exec.Transaction, s *snapshot, parts []*exec.Part, last bool) (over bool, err error) {
	over, err = t.Run(s.rules, parts, last)
	for _, p := range parts {
		if err == nil {
			err = p.Check()
		}
	}
	return over, err
}

// watched starts to watch the client. The function that it returns ends that.
func (x *execution) watched(r *request, stop bool) (end func()) {
	if r.leavesAfter == 0 {
		return func() {}
	}
	over, gone := make(chan struct{}), make(chan struct{})
	go x.watch(r, stop, over, gone)
	return func() { close(over); <-gone }
}

// watch tells that the client has gone away, again and again, as clients.Watch does.
func (x *execution) watch(r *request, stop bool, over <-chan struct{}, gone chan<- struct{}) {
	defer close(gone)
	t := time.NewTimer(r.leavesAfter)
	defer t.Stop()
	for {
		select {
		case <-over:
			return
		case <-t.C:
			x.Abandon(errGone, stop)
			t.Reset(100*time.Millisecond + time.Duration(len(r.value)))
		}
	}
}

// plan finds the plan of a request. x may be nil.
func plan(p *planner.Planner, r *request, x *execution) (*exec.Runnable, error) {
	if x == nil {
		x = &execution{}
	}
	id := strconv.FormatInt(r.id, 10)
	row := `{"id":` + id + `,"val":"` + r.value + `"}`
	action, target, raw, prefer, accept, payload := planner.Read, "own", "", "", "", ""
	switch r.op {
	case readReg:
		target, raw = "reg", "id=eq."+id
	case readSlow:
		target, raw = "slow", "id=eq."+id
	case readOwn:
		raw = "order=id"
	case readOwnOne:
		raw = "id=eq." + id
	case insert:
		action, prefer, payload = planner.Insert, "return=minimal", row
	case insertReturning:
		action, prefer, payload = planner.Insert, "return=representation", row
	case update, updateReturning, updateOne:
		action, target, raw, payload = planner.Update, "reg", "id=eq."+id, `{"val":"`+r.value+`"}`
		prefer = map[operation]string{update: "return=minimal", updateReturning: "return=representation", updateOne: "return=representation"}[r.op]
		if r.op == updateOne {
			accept = "application/vnd.pgrst.object+json"
		}
	case upsert:
		action, raw, prefer, payload = planner.Upsert, "id=eq."+id, "return=minimal", row
	case remove:
		action, raw, prefer = planner.Delete, "id=eq."+id, "return=minimal"
	case leave, strew:
		action, target, payload = planner.CallPost, r.op.String(), `{"a":"`+r.value+`"}`
	case look:
		action, target, raw = planner.CallGet, "look", "a="+r.value
	}
	q := &x.plan
	q.Schema, q.Action, q.Target, q.Query, q.Prefer, q.ContentType = "api", action, []byte(target), &x.query, &x.pref, header.Media{Kind: header.JSON}
	x.pref.Reset()
	if prefer != "" {
		x.pref.Add([]byte(prefer), true)
	}
	if accept != "" {
		q.Accept, q.HasAccept = []byte(accept), true
	}
	mode := map[planner.Action]parser.Mode{planner.CallGet: parser.ModeCallRead, planner.CallPost: parser.ModeCall}[action]
	if err := x.query.Parse([]byte(raw), mode); err != nil {
		return nil, err
	}
	q.Top = x.query.RootRange()
	if payload != "" {
		if err := x.body.ParseJSON([]byte(payload), action == planner.CallPost); err != nil {
			return nil, err
		}
		q.PayloadObject, q.Columns = x.body.IsObject, x.body.Keys
	}
	kept, _, err := p.Find(q)
	if err != nil {
		return nil, err
	}
	return kept.State.(*exec.Runnable), nil
}
