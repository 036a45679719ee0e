package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestCompose runs the script of compose.yaml that makes the roles, and the
// program with the environment of its service.
func TestCompose(t *testing.T) {
	values := map[string]string{"POSTGRES_PASSWORD": "p", "AUTHENTICATOR_PASSWORD": `it's "$a" secret`, "JWT_SECRET": "a secret of at least thirty-two characters"}
	var file composeFile
	decodeYAML(t, readPackaging(t, "compose.yaml"), &file)
	for name, s := range file.Services {
		for _, c := range s.Configs {
			if file.Configs[c.Source].Content == "" {
				t.Errorf("%s: there is no config %s", name, c.Source)
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, err := os.Stat(filepath.Join("packaging", from)); strings.HasPrefix(from, ".") && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, named := file.Volumes[from]; !strings.HasPrefix(from, ".") && !named {
				t.Errorf("%s: there is no volume %s", name, from)
			}
		}
	}
	api := file.Services["api"]
	if _, err := os.Stat(filepath.Join("packaging", api.Build.Context, api.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	env := map[string]string{}
	for name, value := range api.Environment {
		env[name] = interpolated(value, values)
	}
	checkStop(t, parseDuration(t, api.StopGracePeriod), checkEnvironment(t, env))

	cluster := pgtest.StartOwn(t)
	db := cluster.NewDB(t)
	script := exec.CommandContext(t.Context(), "sh", "-c", interpolated(file.Configs["roles"].Content, values))
	script.Env = append(os.Environ(), "POSTGRES_USER="+pgtest.Superuser, "POSTGRES_DB="+db, "PGHOST="+cluster.SocketDir(),
		"AUTHENTICATOR_PASSWORD="+values["AUTHENTICATOR_PASSWORD"])
	if bin := os.Getenv("TEST_PG_BIN_DIR"); bin != "" {
		script.Env = append(script.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	}
	if out, err := script.CombinedOutput(); err != nil {
		t.Fatalf("the script of the roles: %v\n%s", err, out)
	}
	// As with PostgreSQL's image, the authenticator needs its password.
	cluster.WriteFile(t, "pg_hba.conf", []byte("local all authenticator scram-sha-256\nlocal all all trust\n"))
	cluster.Connect(t, db).Value("select pg_reload_conf()")

	port := pgtest.FreePort(t, "127.0.0.1")
	env["PGRST_DB_URI"] = cluster.URI(db, "authenticator")
	env["PGRST_SERVER_PORT"], env["PGRST_ADMIN_SERVER_PORT"], env["PGRST_SERVER_HOST"] = port, pgtest.FreePort(t, "127.0.0.1"), "127.0.0.1"
	env["PGRST_LOG_LEVEL"] = "info"
	d := &database{t: t}
	p := d.supervise(programWith(env))
	p.awaitListening()
	address := net.JoinHostPort("127.0.0.1", port)
	token := sign(`{"role":"app_user"}`, values["JWT_SECRET"])
	for _, r := range []struct {
		line, token, body string
		status            int
		want              string
	}{
		{"GET /todo", "", "", 200, `[{"id":1,"task":"read the tutorial","done":false}]`},
		{"POST /todo", "", `{"task":"x"}`, 401, ""},
		{"POST /todo", token, `{"task":"x"}`, 201, ""},
		{"GET /todo?select=task&id=eq.2", token, "", 200, `[{"task":"x"}]`},
	} {
		c := dialClient(t, "tcp", address)
		head := r.line + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " + fmt.Sprint(len(r.body))
		if r.token != "" {
			head += "\r\nAuthorization: Bearer " + r.token
		}
		fmt.Fprint(c, head+"\r\n\r\n"+r.body)
		if resp, body, err := c.answer(); err != nil || resp.StatusCode != r.status || r.want != "" && body != r.want {
			t.Errorf("%s: %v %s %v, want %d %s", r.line, resp, body, err, r.status, r.want)
		}
	}
	p.signal(syscall.SIGTERM)
	p.endsWell()
}
