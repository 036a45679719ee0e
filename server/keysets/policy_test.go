package keysets_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/keysets"
)

// provider stands for the network. It is a http.RoundTripper and a keysets.Log.
type provider struct {
	mu     sync.Mutex
	answer func(*http.Request) (*http.Response, error)
	times  []time.Duration // of requests, since the first
	first  time.Time
	log    []string
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	if p.first.IsZero() {
		p.first = time.Now()
	}
	p.times = append(p.times, time.Since(p.first))
	answer := p.answer
	p.mu.Unlock()
	return answer(r)
}

func (p *provider) set(answer func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// since returns the times of requests that were not asked for before.
func (p *provider) since() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprint(p.times)
	p.times = nil
	return text
}

func (p *provider) KeysFetched(from string, keys int) { p.note("%d keys of %s", keys, from) }
func (p *provider) KeysFailed(from, problem string, pause time.Duration) {
	p.note("%s: %s, again in %v", from, problem, pause)
}

func (p *provider) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

func (p *provider) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.log
	p.log = nil
	return lines
}

const (
	one = `{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	two = `{"kty":"OKP","crv":"Ed25519","kid":"2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
)

// document sends a text with headers, which are name, value, ...
func document(text string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: 200, Status: "200 OK", Header: h, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
}

func keys(list ...string) string { return `{"keys":[` + strings.Join(list, ",") + `]}` }

func broken(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }

var remote = auth.Remote{URL: "https://provider.example/keys"}

// run runs a test with a store, in a bubble whose clock is not real.
func run(t *testing.T, answer func(*http.Request) (*http.Response, error), test func(*testing.T, *provider, *keysets.Store, auth.KeySource)) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answer: answer}
		s := keysets.New(keysets.Options{Log: p, Transport: p})
		ctx, cancel := context.WithCancel(t.Context())
		source := s.Source(remote)
		if source.Keys() != nil {
			t.Error("there are keys before the first fetch")
		}
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		s.Wait(ctx)
		synctest.Wait()
		test(t, p, s, source)
		cancel()
		<-ended
	})
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestLifetime: a set is fetched again when its lifetime ends.
func TestLifetime(t *testing.T) {
	f := func(next time.Duration, headers ...string) {
		t.Helper()
		run(t, document(keys(one), headers...), func(t *testing.T, p *provider, s *keysets.Store, _ auth.KeySource) {
			time.Sleep(next - time.Millisecond)
			synctest.Wait()
			want(t, fmt.Sprint(headers, " just before"), p.since(), "[0s]")
			time.Sleep(time.Millisecond)
			synctest.Wait()
			want(t, fmt.Sprint(headers, " then"), p.since(), fmt.Sprint([]time.Duration{next}))
		})
	}
	const cc = "Cache-Control"
	f(5 * time.Minute)
	f(10*time.Minute, cc, "public, max-age=600, must-revalidate")
	f(9*time.Minute, cc, "max-age=600", "Age", "60")
	f(10*time.Minute, cc, `max-age="600"`, "Age", "x")
	f(time.Minute, cc, "max-age=15")
	f(time.Minute, cc, "max-age=600", "Age", "100000")
	f(time.Minute, cc, "no-cache")
	f(time.Minute, cc, "max-age=600, no-store")
	f(time.Minute, cc, "max-age=")
	f(time.Minute, cc, "max-age=-5")
	f(24*time.Hour, cc, "max-age=31536000")
	f(24*time.Hour, cc, "max-age=99999999999999999999999999")
}

// TestUnknown: unknown keys are a reason to fetch once a minute.
func TestUnknown(t *testing.T) {
	run(t, document(keys(one), "Cache-Control", "max-age=3600"), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		want(t, "the start", p.since(), "[0s]")
		release := make(chan struct{})
		p.set(func(r *http.Request) (*http.Response, error) { <-release; return document(keys(one, two))(r) })
		time.Sleep(10 * time.Second)
		before := source.Keys()
		for range 10000 {
			if !source.Unknown() {
				t.Fatal("nothing is being fetched for an unknown key")
			}
		}
		synctest.Wait()
		want(t, "while it is being fetched", source.Keys() == before, true)
		close(release)
		synctest.Wait()
		want(t, "10,000 unknown keys", p.since(), "[10s]")
		want(t, "keys", source.Keys().Len(), 2)
		for range 5990 { // until a minute after the first
			time.Sleep(10 * time.Millisecond)
			if source.Unknown() {
				t.Fatal("something is being fetched for an unknown key")
			}
		}
		synctest.Wait()
		want(t, "the rest of the minute", p.since(), "[]")
		time.Sleep(100 * time.Millisecond)
		source.Unknown()
		synctest.Wait()
		want(t, "after the minute", p.since(), "[1m10s]")
	})
}

// TestFailures: the last good set stays, and the pauses grow.
func TestFailures(t *testing.T) {
	run(t, document(keys(one)), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		good := source.Keys()
		want(t, "log", p.lines(), "[1 keys of https://provider.example/keys]")
		p.since()
		p.set(broken)
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		want(t, "attempts", p.since(), "[5m0s 5m1s 5m3s 5m7s 5m15s 5m31s 6m3s 7m3s 8m3s 9m3s]")
		want(t, "the last good set is in force", source.Keys() == good, true)
		figures := s.Figures()[0]
		want(t, "figures", fmt.Sprintf("%d %d %d %v %s", figures.Keys, figures.Fetched, figures.Failed, time.Since(figures.At), figures.Problem), `1 1 10 10m1s Get "https://provider.example/keys": no route to host`)
		want(t, "first failure", p.lines()[0], `https://provider.example/keys: Get "https://provider.example/keys": no route to host, again in 1s`)
		want(t, "retry after", source.RetryAfter(), 2)

		p.set(document(keys(one)))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want(t, "the same keys", source.Keys() == good, true)
		want(t, "log", p.lines(), "[1 keys of https://provider.example/keys]")
		want(t, "problem", s.Figures()[0].Problem, "")
	})
}

// TestUnknownWhileDown: as long as the fetch for an unknown key fails, its token may be valid.
func TestUnknownWhileDown(t *testing.T) {
	run(t, document(keys(one), "Cache-Control", "max-age=86400"), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		p.set(broken)
		time.Sleep(time.Hour)
		for range 20 {
			want(t, "it is being fetched", source.Unknown(), true)
			if after := source.RetryAfter(); after < 1 || after > 60 {
				t.Errorf("Retry-After is %d", after)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		p.set(document(keys(one, two)))
		time.Sleep(time.Minute)
		synctest.Wait()
		want(t, "keys", source.Keys().Len(), 2)
		source.Unknown() // a minute after the first one this is another reason to fetch
		synctest.Wait()
		want(t, "and then the key is unknown", source.Unknown(), false)
	})
}

// TestManyIssuers: reloads that replace a hundred issuers leave nothing behind, also if
// their providers do not answer.
func TestManyIssuers(t *testing.T) {
	var asking atomic.Int64
	hang := func(r *http.Request) (*http.Response, error) {
		asking.Add(1)
		defer asking.Add(-1)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	run(t, document(keys(one)), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		before := runtime.NumGoroutine()
		p.set(hang)
		for round := range 10 {
			var list []auth.Remote
			for n := range 100 {
				list = append(list, auth.Remote{Issuer: fmt.Sprintf("https://%d.%d.example", round, n)})
				s.Source(list[n])
			}
			s.Keep(list)
			s.Refresh()
			synctest.Wait()
			want(t, "fetches", asking.Load(), 100)
			want(t, "figures", len(s.Figures()), 100)
		}
		s.Keep([]auth.Remote{remote})
		synctest.Wait()
		want(t, "fetches of removed issuers", asking.Load(), 0)
		want(t, "figures", len(s.Figures()), 0)
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, %d before", n, before)
		}
	})
}

// TestNames: the figures of two sets have different names.
func TestNames(t *testing.T) {
	s := keysets.New(keysets.Options{})
	s.Source(auth.Remote{URL: "https://a.example"})
	s.Source(auth.Remote{Issuer: "https://a.example"})
	s.Source(auth.Remote{Issuer: "https://b.example"})
	var names []string
	for _, f := range s.Figures() {
		names = append(names, f.From)
	}
	want(t, "names", names, "[https://a.example https://a.example (discovery) https://b.example]")
}

// TestNoKeysYet: a provider that does not answer at the start.
func TestNoKeysYet(t *testing.T) {
	run(t, broken, func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		want(t, "keys", source.Keys() == nil, true)
		want(t, "retry after", source.RetryAfter(), 1)
		p.set(document(keys(one)))
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, "keys", source.Keys().Len(), 1)
	})
}

// TestPatience: a provider that does not answer at all.
func TestPatience(t *testing.T) {
	run(t, func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
			want(t, "problem", s.Figures()[0].Problem, `Get "https://provider.example/keys": context deadline exceeded`)
			want(t, "it took", time.Since(p.first), 10*time.Second)
		})
}

// TestUnusable: what is not a usable key set does not replace one.
func TestUnusable(t *testing.T) {
	f := func(answer func(*http.Request) (*http.Response, error), problem string) {
		t.Helper()
		run(t, document(keys(one)), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
			good := source.Keys()
			p.set(answer)
			s.Refresh()
			synctest.Wait()
			want(t, problem+": kept", source.Keys() == good, true)
			if got := s.Figures()[0].Problem; !strings.Contains(got, problem) {
				t.Errorf("got %q, want %q", got, problem)
			}
		})
	}
	f(document("garbage"), "it is not a JSON Web Key Set")
	f(document(`{"keys":5}`), "it is not a JSON Web Key Set")
	f(document(`{}`), "it is not a JSON Web Key Set")
	f(document(keys()), "it has no usable key")
	f(document(keys(`{"kty":"oct","k":"YSBzZWNyZXQgb2YgYXQgbGVhc3QgdGhpcnR5LXR3byBjaGFyYWN0ZXJz"}`, `5`, `{"kty":"RSA"}`)), "it has no usable key")
	f(document(keys(strings.Split(strings.Repeat(one+"\n", 101)[:101*len(one)+100], "\n")...)), "it has more than 100 keys")
	f(document(strings.Repeat(" ", 1<<20)+keys(one)), "the document is longer than 1048576 bytes")
	f(func(r *http.Request) (*http.Response, error) {
		response, err := document("")(r)
		response.StatusCode, response.Status = 500, "500 Internal Server Error"
		return response, err
	}, "status 500 Internal Server Error")
	redirect := func(to string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			response, err := document("", "Location", to)(r)
			response.StatusCode, response.Status = 302, "302 Found"
			return response, err
		}
	}
	f(redirect("https://other.example/keys"), "redirects to another host are not followed")
	f(redirect("http://provider.example/keys"), "redirects to another host are not followed")
	f(redirect("https://provider.example:8443/keys"), "redirects to another host are not followed")
	f(redirect("/keys"), "too many redirects")
}

// TestDiscovery: the address of the keys comes from the document of the issuer.
func TestDiscovery(t *testing.T) {
	f := func(issuer, text, problem string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			p := &provider{answer: func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.String())
				if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
					return document(text)(r)
				}
				return document(keys(one))(r)
			}}
			s := keysets.New(keysets.Options{Log: p, Transport: p})
			ctx, cancel := context.WithCancel(t.Context())
			source := s.Source(auth.Remote{Issuer: issuer})
			ended := make(chan struct{})
			go func() { s.Run(ctx); close(ended) }()
			s.Wait(ctx)
			figures := s.Figures()[0]
			if problem == "" {
				want(t, text, fmt.Sprint(source.Keys() != nil, asked), "true ["+strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration https://keys.example/certs]")
			} else if !strings.Contains(figures.Problem, problem) || source.Keys() != nil {
				t.Errorf("%s: got %q, want %q", text, figures.Problem, problem)
			}
			cancel()
			<-ended
		})
	}
	f("https://a.example", `{"issuer":"https://a.example","jwks_uri":"https://keys.example/certs"}`, "")
	f("https://a.example/", `{"issuer":"https://a.example/","jwks_uri":"https://keys.example/certs"}`, "")
	f("https://a.example/realms/x", `{"issuer":"https://a.example/realms/x","jwks_uri":"https://keys.example/certs"}`, "")
	f("https://a.example", `{"issuer":"https://a.example/","jwks_uri":"https://keys.example/certs"}`, "issuer")
	f("https://a.example", `{"issuer":"https://b.example","jwks_uri":"https://keys.example/certs"}`, "issuer")
	f("https://a.example", `{"jwks_uri":"https://keys.example/certs"}`, "issuer")
	f("https://a.example", `garbage`, "failed to decode")
	f("https://a.example", `{"issuer":"https://a.example"}`, "jwks_uri of https://a.example is not usable")
	f("https://a.example", `{"issuer":"https://a.example","jwks_uri":"http://keys.example/certs"}`, "jwks_uri of https://a.example is not usable")
	f("https://a.example", `{"issuer":"https://a.example","jwks_uri":"http://127.0.0.1/certs"}`, "it has no https")
	for _, address := range []string{
		`"file:///etc/passwd"`, `"https://me:pw@keys.example/certs"`, `"https://keys.example/certs#x"`, `"http://[::1%25lo]/certs"`, `"https://:443/certs"`, `"/certs"`, `"//keys.example/certs"`,
		`""`, `null`, `"https://keys.example:x/"`, `"https://keys.example/\u0000"`, `"http://localhost/certs"`, `"unix:///run/keys"`,
	} {
		f("https://a.example", `{"issuer":"https://a.example","jwks_uri":`+address+`}`, "jwks_uri of https://a.example is not usable")
	}
	f("https://a.example", `{"issuer":"https://a.example","jwks_uri":["https://keys.example/certs"]}`, "failed to decode")
	f("https://a.example", `{"issuer":["https://a.example"],"jwks_uri":"https://keys.example/certs"}`, "failed to decode")
	f("https://a.example", `{"issuer":"https://b.example","issuer":"https://a.example","jwks_uri":"https://keys.example/certs"}`, "") // the last one, as in other programs
	f("https://a.example", `{"issuer":"https://a.example","jwks_uri":"https://keys.example/certs"}`+strings.Repeat(" ", 1<<20), "the document is longer than 1048576 bytes")
}

// TestKeep: a set that is not in use is not fetched, and one that is in use again is.
func TestKeep(t *testing.T) {
	run(t, document(keys(one)), func(t *testing.T, p *provider, s *keysets.Store, source auth.KeySource) {
		want(t, "the same set", s.Source(remote) == source, true)
		s.Keep([]auth.Remote{remote})
		p.since()
		time.Sleep(time.Hour + time.Second)
		want(t, "kept", p.since() != "[]", true)
		s.Keep(nil)
		time.Sleep(time.Hour)
		want(t, "let go", p.since(), "[]")
		want(t, "and not shown", len(s.Figures()), 0)
		want(t, "its keys stay", source.Keys().Len(), 1)
		again := s.Source(remote)
		synctest.Wait()
		want(t, "in use again", again.Keys().Len(), 1)
	})
}
