package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParsePeers(t *testing.T) {
	f := func(variable string, want ...program) {
		t.Helper()
		got, err := (&plan{}).parsePeers(nil, variable)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", variable, got, err, want)
		}
	}
	f("")
	f(" ; ")
	f("old=/bin/sh", program{name: "old", args: []string{"/bin/sh"}})
	f("a = env A=b /bin/sh  -c x;b=http://127.0.0.1:3000", program{name: "a", args: []string{"env", "A=b", "/bin/sh", "-c", "x"}}, program{name: "b", addr: "127.0.0.1:3000"})
	f("exclusive", program{name: "exclusive", args: []string{""}, env: []string{"PGRST_DB_CONNECTION_SHARING=false"}, says: "db-connection-sharing = false"})
	f("v6=http://[::1]:3000/,pid=77", program{name: "v6", addr: "[::1]:3000", pid: 77})

	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), postgrestName)
	if err := os.Symlink(sh, link); err != nil {
		t.Fatal(err)
	}
	same := filepath.Join(filepath.Dir(link), string(byServer))
	if err := os.Symlink(sh, same); err != nil {
		t.Fatal(err)
	}
	f(link, program{name: postgrestName, args: []string{link}})
	t.Setenv("PATH", filepath.Dir(link)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	f(postgrestName, program{name: postgrestName, args: []string{link}})

	both, err := (&plan{}).parsePeers([]string{"a=sh"}, "b=sh")
	if err != nil || len(both) != 2 || both[0].name != "a" {
		t.Errorf("got %+v, %v, want that of the flag and that of the variable", both, err)
	}

	bad := func(text, want string) {
		t.Helper()
		if _, err := (&plan{}).parsePeers([]string{text}, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	bad(same, "not a valid name")
	bad("/no/such/postgrest", "install PostgREST")
	bad("x", "a peer is")
	bad("=sh", "a peer is")
	bad("x=", "a peer is")
	bad("fastgrest=sh", "not a valid name")
	bad("a,b=sh", "not a valid name")
	bad("../a=sh", "not a valid name")
	bad("x=/no/such/program", "no such file")
	bad("x=http://192.0.2.1:80", "not a loopback")
	bad("x=http://example.org:80", "want http")
	bad("x=https://127.0.0.1:80", "want http")
	bad("x=http://127.0.0.1:80/path", "want http")
	bad("x=http://127.0.0.1", "want http")
	bad("x=http://127.0.0.1:80,pid=0", "not a process id")
	if _, err := (&plan{}).parsePeers([]string{"a=sh", "a=sh"}, ""); err == nil {
		t.Error("two peers of one name")
	}
}

func TestSameJSON(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		if got := sameJSON([]byte(a), []byte(b)); got != want {
			t.Errorf("%s and %s: got %v", a, b, got)
		}
	}
	f("", "", true)
	f(`[{"a":1,"b":2}]`, "[{\"b\": 2,\n \"a\": 1}]", true)
	f(`1.0`, `1.00`, false)
	f(`[1]`, `[1,2]`, false)
	f(`[1]`, ``, false)
	f(`x`, `y`, false)
}
