package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestInit: the two files of init make an API, with a password, that check has no error about and that serves.
func TestInit(t *testing.T) {
	c := pgtest.StartOwn(t)
	db := c.NewDB(t)
	c.WriteFile(t, "pg_hba.conf", []byte("local all authenticator scram-sha-256\nlocal all all trust\n"))
	c.Exec(t, db, "select pg_reload_conf()")
	uri := "postgresql:///" + db + "?host=" + c.SocketDir() + "&port=5432"
	dir := filepath.Join(t.TempDir(), "new")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"init", "--dir", dir, "--db-uri", uri}, nil, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	sql, conf := filepath.Join(dir, "roles.sql"), filepath.Join(dir, "fastgrest.conf")
	for _, text := range []string{sql, conf, "fastgrest check"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%s is not in\n%s", text, out.String())
		}
	}
	for _, path := range []string{sql, conf} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
	script := readText(t, sql)
	c.Exec(t, db, script)
	password := regexp.MustCompile(`password=([^&"]+)`).FindStringSubmatch(readText(t, conf))
	if password == nil || strings.Contains(script, password[1]) {
		t.Errorf("the password %q is in no file, or in that of the SQL", password)
	}
	out.Reset()
	if code := run(t.Context(), []string{"check", "--strict", conf}, nil, &out, &errs); code != 0 || out.String() != "no findings\n" {
		t.Errorf("exit code %d, %s%s", code, out.String(), errs.String())
	}

	c.Exec(t, db, exampleSQL(t, script))
	out.Reset()
	if code := run(t.Context(), []string{"check", "--strict", conf}, nil, &out, &errs); code != 0 || out.String() != "no findings\n" {
		t.Errorf("with the example: exit code %d, %s%s", code, out.String(), errs.String())
	}
	port := pgtest.FreePort(t, "127.0.0.1")
	cmd := exec.Command(os.Args[0], conf, "--server-port", port, "--admin-server-port", pgtest.FreePort(t, "127.0.0.1"))
	cmd.Env = append(os.Environ(), asProgram+"=1")
	p := (&database{t: t}).supervise(cmd)
	p.awaitListening()
	client := dialClient(t, "tcp", net.JoinHostPort("127.0.0.1", port))
	client.ask("GET /note")
	if resp, body, err := client.answer(); err != nil || resp.StatusCode != 200 || body != "[]" {
		t.Errorf("%v %q %v", resp, body, err)
	}
	client.Close()
	p.signal(syscall.SIGTERM)
	p.endsWell()

	before := readText(t, conf)
	errs.Reset()
	if code := run(t.Context(), []string{"init", "--dir", dir}, nil, &out, &errs); code != 1 || readText(t, conf) != before || !strings.Contains(errs.String(), "never overwrites") {
		t.Errorf("a file was overwritten: %d %s", code, errs.String())
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exampleSQL is the SQL of the example, which is in comments.
func exampleSQL(t *testing.T, script string) string {
	t.Helper()
	_, rest, _ := strings.Cut(script, "-- An example:")
	rest, _, found := strings.Cut(rest, "\n\n")
	_, rest, _ = strings.Cut(rest, "\n--\n")
	if !found || rest == "" {
		t.Fatalf("there is no example in\n%s", script)
	}
	return regexp.MustCompile(`(?m)^-- `).ReplaceAllString(rest, "")
}

// TestInitWords: each document alone, with names that need quotes.
func TestInitWords(t *testing.T) {
	c := pgtest.StartOwn(t)
	db := c.NewDB(t)
	names := []string{"--schema", `My "API"`, "--anon-role", "user", "--user-role", "a $b\U000e0001", "--authenticator", "O'Neil", "--db-uri", "postgresql:///" + db + "?port=5432&host=" + c.SocketDir()}
	var sql, conf, errs bytes.Buffer
	if code := run(t.Context(), append([]string{"init", "sql"}, names...), nil, &sql, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	if code := run(t.Context(), append([]string{"init", "config"}, names...), nil, &conf, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	claims := regexp.MustCompile(`A token with (\{.*\}) selects`).FindStringSubmatch(sql.String())
	var token struct{ Role string }
	if claims == nil || json.Unmarshal([]byte(claims[1]), &token) != nil || token.Role != names[5] {
		t.Errorf("the claims of a token are %q", claims)
	}
	c.Exec(t, db, sql.String())
	c.Exec(t, db, exampleSQL(t, sql.String()))
	path := filepath.Join(t.TempDir(), "x.conf")
	if err := os.WriteFile(path, conf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"check", "--strict", path}, nil, &out, &errs); code != 0 || out.String() != "no findings\n" {
		t.Errorf("exit code %d, %s%s", code, out.String(), errs.String())
	}
}
