package issuertest

import (
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/keysets"
	"github.com/fastgrest/fastgrest/server/servertest"
)

var (
	rotations     = flag.Int("rotations", 5, "how often TestRotation changes the keys")
	rotationEvery = flag.Duration("rotation-every", 0, "the least time between two of them")
	unknownTokens = flag.Int("unknown", 2000, "tokens of TestUnknownKeys")
)

const schema = `
create schema api;
create view api.me as select current_user::text as role;
do $$ begin
  create role member;
exception when duplicate_object or unique_violation then -- another test has created it
end $$;
grant usage on schema api to member, test_anon;
grant select on api.me to member;
`

// fixture is a server and its database.
type fixture struct {
	*servertest.Server
	sql func(sql string)
}

// start starts a server that trusts providers and finds their keys by discovery.
func start(t *testing.T, limits keysets.Limits, providers ...*remote) fixture {
	t.Helper()
	return startWith(t, map[string]string{"jwt-issuers": discovered(providers...)}, limits, providers...)
}

// startWith starts a server that trusts providers, with settings.
func startWith(t *testing.T, settings map[string]string, limits keysets.Limits, providers ...*remote) fixture {
	t.Helper()
	cluster := pgtest.Start(t)
	name := cluster.NewDB(t)
	cluster.Exec(t, name, schema)
	flags := map[string]string{"db-uri": cluster.URI(name, "postgres"), "jwt-secret": ""}
	maps.Copy(flags, settings)
	transport := trust(providers...)
	t.Cleanup(transport.CloseIdleConnections)
	return fixture{
		servertest.StartFetching(t, flags, keysets.Options{Transport: transport, Limits: limits}),
		func(sql string) { t.Helper(); cluster.Exec(t, name, strings.ReplaceAll(sql, "{database}", name)) },
	}
}

// discovered is the configuration of providers whose keys are found by discovery.
func discovered(providers ...*remote) string {
	var list []string
	for _, p := range providers {
		list = append(list, `{"issuer":"`+p.issuer+`","audiences":["api"],"discovery":true,"roles":["member"]}`)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// me asks the server for the role of a token.
func me(t *testing.T, s fixture, token string) servertest.Response {
	t.Helper()
	return s.Do("GET", "/me", "", "Authorization", "Bearer "+token)
}

const member = `[{"role":"member"}]`

// fetches returns how often the key set of a provider was fetched, with success or not.
func fetches(t *testing.T, s fixture, p *remote, status string) int {
	t.Helper()
	r, err := servertest.Send(s.Admin, "GET", "/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`fastgrest_jwt_key_set_fetches_total\{from="` + regexp.QuoteMeta(p.issuer) + `",status="` + status + `"\} (\d+)`).FindStringSubmatch(r.Body)
	if found == nil {
		t.Fatalf("the metrics have no fetches of %s:\n%s", p.issuer, r.Body)
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	if !pgtest.Until(servertest.Patience, so) {
		t.Fatalf("not in time: %s", what)
	}
}

// TestRotation changes the keys of a provider while clients use its tokens. Keys are
// published before they sign, as providers do it. No valid token is refused, and no token
// of a withdrawn key is accepted after the set was fetched without it.
func TestRotation(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	lifetime := int(*rotationEvery / (2 * time.Second)) // in seconds; 0: that of Limits
	p.ask("max-age=%d", lifetime)
	s := start(t, keysets.Limits{Shortest: 100 * time.Millisecond}, p)
	var token atomic.Pointer[string]
	first := p.ask("").Token
	token.Store(&first)
	var requests, refused atomic.Int64
	var complaint atomic.Pointer[string]
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := s.Try("GET", "/me", "", "Authorization", "Bearer "+*token.Load())
				requests.Add(1)
				if err != nil || r.Body != member {
					text := fmt.Sprint(r, err)
					complaint.Store(&text)
					refused.Add(1)
				}
			}
		})
	}
	var latest time.Duration
	withdrawn := []string{}
	fetched := func(since int) { // until a set that was sent after that is in force
		t.Helper()
		await(t, "the set is fetched", func() bool { return fetches(t, s, p, "SUCCESS") > since })
	}
	for n := range *rotations {
		next := time.After(*rotationEvery)
		fetched(p.ask("add").Answered)
		old := *token.Load()
		fresh := p.ask("sign=%d", n+2).Token
		token.Store(&fresh)
		if r := me(t, s, old); r.Body != member {
			t.Errorf("rotation %d: the token of the old key: %v", n, r)
		}
		// Requests under way have the old token. They end before its key is withdrawn.
		now := requests.Load()
		await(t, "requests go on", func() bool { return requests.Load() > now+128 })
		answered := p.ask("withdraw=%d", n+1).Answered
		began := time.Now()
		await(t, "the token of the withdrawn key is refused", func() bool { return me(t, s, old).Status == 401 })
		latest = max(latest, time.Since(began))
		fetched(answered)
		withdrawn = append(withdrawn, old)
		for _, token := range withdrawn {
			if r := me(t, s, token); r.Status != 401 || r.Code != "PGRST301" {
				t.Errorf("rotation %d: a token of a withdrawn key: %v", n, r)
			}
		}
		<-next
	}
	close(stop)
	clients.Wait()
	if n := refused.Load(); n > 0 {
		t.Errorf("%d of %d valid tokens refused, such as %s", n, requests.Load(), *complaint.Load())
	}
	t.Logf("%d rotations, %d requests of 64 clients, %d refused; a withdrawn key was accepted for %v at most, with sets of a lifetime of %d s (0: 100 ms)",
		*rotations, requests.Load(), refused.Load(), latest, lifetime)
}

// TestUnknownKeys: tokens with unknown keys cause one fetch in a minute.
func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	p.ask("max-age=86400")
	s := start(t, keysets.Limits{}, p)
	token := p.ask("").Token
	before := p.ask("").Answered
	began := time.Now()
	_, rest, _ := strings.Cut(token, ".")
	unknown := func(i int) (servertest.Response, error) {
		return s.Try("GET", "/me", "", "Authorization", "Bearer "+encode(fmt.Appendf(nil, `{"alg":"ES256","kid":"unknown %d"}`, i))+"."+rest)
	}
	var statuses [600]atomic.Int64
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() {
			for i := n; i < *unknownTokens; i += 8 {
				r, err := unknown(i)
				if err != nil {
					t.Error(err)
					return
				}
				statuses[r.Status].Add(1)
				if r.Status == 503 && r.Header.Get("Retry-After") != "1" {
					t.Errorf("%v, Retry-After %q", r, r.Header.Get("Retry-After"))
				}
			}
		})
	}
	clients.Wait()
	// On a busy machine the fetch may take longer than all of these tokens.
	if !pgtest.Until(servertest.Patience, func() bool { r, err := unknown(*unknownTokens); return err == nil && r.Status == 401 }) {
		t.Error("a token with an unknown key is not refused after the fetch")
	}
	took := time.Since(began)
	caused := p.ask("").Answered - before
	if most := 1 + int(took/time.Minute); caused < 1 || caused > most {
		t.Errorf("%d tokens caused %d fetches in %v", *unknownTokens, caused, took)
	}
	refused, waiting := statuses[401].Load(), statuses[503].Load()
	if int(refused+waiting) != *unknownTokens {
		t.Errorf("%d refused, %d while the set was fetched, of %d", refused, waiting, *unknownTokens)
	}
	if r := me(t, s, token); r.Body != member {
		t.Errorf("a good token: %v", r)
	}
	t.Logf("%d tokens with unknown keys in %v caused %d fetches; %d got 503 while the set was fetched", *unknownTokens, took, caused, waiting)

	// A key that was not published before it signs: the request is to be sent again.
	q := startProvider(t)
	q.ask("max-age=86400")
	s = start(t, keysets.Limits{}, q)
	q.ask("add")
	fresh := q.ask("sign=2").Token
	var got []int
	await(t, "the new key is in force", func() bool {
		r := me(t, s, fresh)
		got = append(got, r.Status)
		return r.Body == member
	})
	if slices.Contains(got, 401) {
		t.Errorf("statuses of a new key: %v", got)
	}
}
