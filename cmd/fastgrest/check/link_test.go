package check

import (
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
)

func TestTransport(t *testing.T) {
	f := func(remote net.Addr, encrypted, verified bool, want string) {
		t.Helper()
		if got := strings.Join(names(transportFindings(remote, encrypted, verified)), ","); got != want {
			t.Errorf("%v %t %t: %q, want %q", remote, encrypted, verified, got, want)
		}
	}
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 5432} }
	f(&net.UnixAddr{Name: "/run/x", Net: "unix"}, false, false, "")
	f(tcp("127.0.0.1"), false, false, "")
	f(tcp("::1"), false, false, "")
	f(tcp("192.0.2.7"), true, true, "")
	f(tcp("192.0.2.7"), false, false, "warning tls-missing")
	f(tcp("10.1.2.3"), false, false, "advice tls-missing")
	f(tcp("10.1.2.3"), true, false, "advice tls-unverified")
}

// linkFindings are the findings about the way to PostgreSQL.
func linkFindings(t *testing.T, uri string, settings ...string) []string {
	t.Helper()
	flags := map[string]string{"db-uri": uri, "db-schemas": "public", "db-anon-role": pgtest.Anon}
	for i := 0; i < len(settings); i += 2 {
		flags[settings[i]] = settings[i+1]
	}
	report, err := Run(t.Context(), Options{Source: config.LoadOptions{Flags: flags}, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Database {
		t.Fatal(describe(report.Findings))
	}
	link := []string{"notify-missing", "prepared-pooler", "version-new", "tls-missing"}
	return names(slices.DeleteFunc(report.Findings, func(f Finding) bool { return !slices.Contains(link, f.Check) }))
}

// TestReplica: notifications do not arrive from a replica, unless another host of db-uri is the primary.
func TestReplica(t *testing.T) {
	primary := pgtest.StartReplicated(t)
	replica := primary.StartReplica(t)
	uri := replica.URI("postgres", pgtest.Login)
	f := func(uri, want string, settings ...string) {
		t.Helper()
		if got := strings.Join(linkFindings(t, uri, settings...), ","); got != want {
			t.Errorf("%s %v: %q, want %q", uri, settings, got, want)
		}
	}
	f(primary.URI("postgres", pgtest.Login), "")
	f(uri, "warning notify-missing")
	f(uri, "", "db-schema-poll-interval", "10")
	f(uri, "", "db-channel-enabled", "false")
	both := "postgresql:///postgres?port=5432,5432&user=" + pgtest.Login + "&host=" + replica.SocketDir() + "," + primary.SocketDir()
	f(both, "")
}

// TestPooler: a pooler in transaction mode is found, one in session mode does no harm.
func TestPooler(t *testing.T) {
	program := pgtest.FindPgBouncer(t)
	c := pgtest.StartOwn(t)
	db := c.NewDB(t)
	version, err := exec.Command(program, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	f := func(mode string, size int, want string, settings ...string) {
		t.Helper()
		if got := strings.Join(linkFindings(t, c.StartPgBouncer(t, db, mode, size), settings...), ","); got != want {
			t.Errorf("%s, %d connections: %q, want %q", mode, size, got, want)
		}
	}
	f("session", 5, "")
	f("transaction", 5, "warning notify-missing", "db-prepared-statements", "false")
	f("transaction", 5, "", "db-prepared-statements", "false", "db-schema-poll-interval", "10", "db-channel-enabled", "false")
	f("transaction", 1, "warning notify-missing", "db-prepared-statements", "false")
	if strings.HasPrefix(string(version), "PgBouncer 1.18") { // newer ones know prepared statements
		f("transaction", 5, "warning prepared-pooler,warning notify-missing")
	}
}
