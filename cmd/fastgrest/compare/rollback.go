package compare

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// rollback makes sure that both servers roll back what requests write.
//
// A server that lets clients choose (db-tx-end is commit-allow-override or rollback-allow-override)
// says Preference-Applied: tx=rollback. A read shows that before anything is written. A server with
// db-tx-end = rollback does not say it, so the user has to.
type rollback struct {
	servers []*server
	granted bool // the user says that both servers roll back

	mu     sync.Mutex
	proven bool
}

// prove returns an error if the servers have not shown that they roll back.
func (b *rollback) prove(ctx context.Context, r *request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.granted || b.proven {
		return nil
	}
	for _, s := range b.servers {
		if !b.shows(ctx, s, r) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fail("refused to send %s %s: the %s server does not show that it rolls back (no Preference-Applied: tx=rollback). "+
				"Set db-tx-end to commit-allow-override on both servers; or, if it is rollback on both, add --both-roll-back",
				r.Method, visible(mask(r.path(), secretsOf(r))), s.name)
		}
	}
	b.proven = true
	return nil
}

// shows reads the relation of the request, or one of those in the OpenAPI document.
func (b *rollback) shows(ctx context.Context, s *server, r *request) bool {
	if !strings.HasPrefix(r.path(), "/rpc/") {
		if rollsBack(s.ask(ctx, probe(r, r.path()))) {
			return true
		}
	}
	root := s.ask(ctx, probe(r, "/"))
	if root.Err != nil || root.Status != http.StatusOK {
		return false
	}
	return slices.ContainsFunc(relations(root.Body.kept), func(path string) bool {
		return rollsBack(s.ask(ctx, probe(r, path)))
	})
}

// probe is a read with the token of another request. It asks for no rows.
func probe(r *request, path string) *request {
	h := http.Header{"Prefer": {"tx=rollback"}}
	for _, name := range []string{"Authorization", "Apikey", "Cookie"} {
		if values := r.Header.Values(name); len(values) > 0 {
			h[name] = values
		}
	}
	if profile := r.Header.Get("Content-Profile"); profile != "" {
		h.Set("Accept-Profile", profile)
	}
	target := path
	if path != "/" {
		target += "?limit=0"
	}
	return &request{Method: http.MethodGet, Target: target, Header: h, Role: r.Role}
}

// relations are up to five paths of an OpenAPI document.
func relations(document []byte) (list []string) {
	var d struct{ Paths map[string]json.RawMessage }
	if json.Unmarshal(document, &d) != nil {
		return nil
	}
	for path := range d.Paths {
		r := request{Method: http.MethodGet, Target: path}
		if path != "/" && !strings.HasPrefix(path, "/rpc/") && r.valid() {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), 5)]
}

func rollsBack(a *response) bool {
	return a.Err == nil && a.Status < 300 && slices.ContainsFunc(a.Header.Values("Preference-Applied"), func(v string) bool {
		return slices.Contains(strings.FieldsFunc(v, func(c rune) bool { return c == ',' || c == ' ' }), "tx=rollback")
	})
}

// check returns an error if a write has succeeded on a server that does not say that it rolled back.
func (b *rollback) check(r *request, responses ...*response) error {
	if b.granted {
		return nil
	}
	for i, a := range responses {
		if a.Err == nil && a.Status < 300 && !rollsBack(a) {
			return fail("stopped: %s %s succeeded, and the %s server did not say that it rolled back; the write may have been committed",
				r.Method, visible(mask(r.path(), secretsOf(r))), b.servers[i].name)
		}
	}
	return nil
}

var txPreference = regexp.MustCompile(`^\s*tx\s*=`)

// withRollback is the request with Prefer: tx=rollback, and without another choice.
func withRollback(r *request) *request {
	with := *r
	with.Header = r.Header.Clone()
	preferences := []string{"tx=rollback"}
	for _, line := range with.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			if !txPreference.MatchString(part) && strings.TrimSpace(part) != "" {
				preferences = append(preferences, strings.TrimSpace(part))
			}
		}
	}
	with.Header.Set("Prefer", strings.Join(preferences, ", "))
	return &with
}
