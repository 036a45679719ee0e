package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestReady(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil && host == "::1" {
			t.Logf("without IPv6, since this machine has none: %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		testReady(t, listener)
	}
}

func testReady(t *testing.T, listener net.Listener) {
	t.Helper()
	status := http.StatusOK
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/ready" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	defer server.Close()
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address := server.URL + "/ready"
	f := func(answer, exit int, stdout, stderr string) {
		t.Helper()
		status = answer
		var out, errs bytes.Buffer
		got := run(t.Context(), []string{"--ready", "--admin-server-host", host, "--admin-server-port", port}, nil, &out, &errs)
		if got != exit || out.String() != stdout || errs.String() != stderr {
			t.Errorf("status %d: exit code %d, want %d; output %q, want %q; error %q, want %q",
				answer, got, exit, out.String(), stdout, errs.String(), stderr)
		}
	}
	f(200, 0, "OK: "+address+"\n", "")
	f(204, 0, "OK: "+address+"\n", "")
	f(500, 1, "", "ERROR: "+address+": 500 Internal Server Error: the API does not listen\n")
	f(503, 1, "", "ERROR: "+address+": 503 Service Unavailable: it is not connected to the database, or the schema cache is not loaded\n")
}

// TestReadyWarns: a failure names settings without effect, which may be its reason.
func TestReadyWarns(t *testing.T) {
	for variable, want := range map[string]string{
		"PGRST_ADMIN_SERVER_PROT=3001": `WARNING: "PGRST_ADMIN_SERVER_PROT" is not the name of a setting, so it has no effect; did you mean PGRST_ADMIN_SERVER_PORT?`,
		"PGRST_ADMIN_SERVER_PORT=no":   `WARNING: PGRST_ADMIN_SERVER_PORT is "no", which is not an integer, so it has no effect`,
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"--ready"}, []string{variable}, &out, &errs)
		want += "\nERROR: Admin server is not running. Please check admin-server-port config.\n"
		if code != 1 || out.String() != "" || errs.String() != want {
			t.Errorf("%s: exit code %d, output %q, error %q, want %q", variable, code, out.String(), errs.String(), want)
		}
	}
}
