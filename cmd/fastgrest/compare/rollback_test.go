package compare

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// database is a fake server that writes, or rolls back if it may.
type database struct {
	allows  bool   // db-tx-end lets clients choose
	openAPI string // what / says
	lies    bool   // it says that it rolls back only for reads

	mu      sync.Mutex
	asked   []string
	prefer  []string
	written int
}

func (d *database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	prefer := r.Header.Get("Prefer")
	d.asked = append(d.asked, r.Method+" "+r.RequestURI)
	d.prefer = append(d.prefer, prefer)
	read := r.Method == http.MethodGet
	rollsBack := d.allows && strings.Contains(prefer, "tx=rollback")
	switch {
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write([]byte(d.openAPI))
		return
	case read && strings.HasPrefix(r.URL.Path, "/rpc/"):
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case rollsBack && (read || !d.lies):
		w.Header().Set("Preference-Applied", "count=none, tx=rollback")
	case !read:
		d.written++
	}
	w.Write([]byte("[]"))
}

const oneWrite = `{"method":"POST","url":"/book","headers":{"Prefer":"tx=commit, return=representation"},"body":{"id":1}}` + "\n"

func TestWrites(t *testing.T) {
	paths := `{"paths":{"/":{},"/rpc/f":{},"/author":{}}}`
	for _, c := range []struct {
		name     string
		old, new *database
		input    string
		flags    []string
		code     int
		says     string
		sent     int // writes to each server
	}{
		{"both roll back", &database{allows: true}, &database{allows: true}, oneWrite, nil, 0, "", 1},
		{"old commits", &database{}, &database{allows: true}, oneWrite, nil, 2, "refused to send POST /book: the old server does not show", 0},
		{"new commits", &database{allows: true}, &database{}, oneWrite, nil, 2, "refused to send POST /book: the new server does not show", 0},
		{"a function, proven by a table", &database{allows: true, openAPI: paths}, &database{allows: true, openAPI: paths},
			`{"method":"POST","url":"/rpc/f"}`, nil, 0, "", 1},
		{"a function, nothing to prove it", &database{allows: true}, &database{allows: true}, `{"method":"POST","url":"/rpc/f"}`, nil, 2, "refused", 0},
		{"a server that shows it for reads only", &database{allows: true}, &database{allows: true, lies: true}, oneWrite + oneWrite, nil, 2,
			"may have been committed", 1},
		{"the user knows it", &database{}, &database{}, oneWrite, []string{"--both-roll-back"}, 0, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := compareURLs(t, serve(t, c.old.ServeHTTP), serve(t, c.new.ServeHTTP), c.input, append(c.flags, "--writes", "--repeat", "--concurrency", "1")...)
			if r.code != c.code || c.says != "" && !strings.Contains(r.err.Error(), c.says) {
				t.Errorf("exit code %d, %v", r.code, r.err)
			}
			for _, d := range []*database{c.old, c.new} {
				sent := 0
				for i, request := range d.asked {
					if !strings.HasPrefix(d.prefer[i], "tx=rollback") || strings.Contains(d.prefer[i], "commit") {
						t.Errorf("%s with Prefer: %s", request, d.prefer[i])
					}
					if strings.HasPrefix(request, "POST") {
						sent++
						if strings.Contains(c.input, "representation") && d.prefer[i] != "tx=rollback, return=representation" {
							t.Errorf("Prefer: %s", d.prefer[i])
						}
					}
				}
				if sent != c.sent {
					t.Errorf("%d writes sent, want %d: %q", sent, c.sent, d.asked)
				}
			}
		})
	}
}

// TestWritesAreNotSent: without --writes no server gets one.
func TestWritesAreNotSent(t *testing.T) {
	var old, new database
	r := compareURLs(t, serve(t, old.ServeHTTP), serve(t, new.ServeHTTP), oneWrite+"GET /book\n")
	if r.Skipped.Writes != 1 || r.Requests.Equal != 1 || old.written+new.written != 0 || len(old.asked) != 1 {
		t.Errorf("%+v %+v %q", r.Skipped, r.Requests, old.asked)
	}
}
