package pgwire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestConnectErrors: the error texts are those of libpq.
func TestConnectErrors(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI("postgres", pgtest.Superuser)
	path := mustParse(t, uri).Host
	socket := fmt.Sprintf("connection to server on socket \"%s/.s.PGSQL.%d\" failed: ", path, mustParse(t, uri).Port)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	const local = "\n\tIs the server running locally and accepting connections on that socket?"
	const remote = "\n\tIs the server running on that host and accepting TCP/IP connections?"
	for _, test := range []struct{ uri, want, code string }{
		{cluster.URI("nodb", pgtest.Superuser), socket + `FATAL:  database "nodb" does not exist`, "3D000"},
		{cluster.URI("postgres", "nobody"), socket + `FATAL:  role "nobody" does not exist`, "28000"},
		{"host=/nonexistent user=u", `connection to server on socket "/nonexistent/.s.PGSQL.5432" failed: No such file or directory` + local, ""},
		{fmt.Sprintf("postgresql://u@127.0.0.1:%d/d?sslmode=prefer", port), fmt.Sprintf(`connection to server at "127.0.0.1", port %d failed: Connection refused`, port) + remote, ""},
		{fmt.Sprintf("postgresql://u@here:%d/d?sslmode=disable", port),
			fmt.Sprintf(`connection to server at "here" (127.0.0.1), port %d failed: Connection refused`, port) + remote, ""},
		{"host=nowhere.invalid user=u", `could not translate host name "nowhere.invalid" to address: no such host`, ""},
		{fmt.Sprintf("host=127.0.0.1 port=%d user=u sslmode=disable connect_timeout=1", mute.Addr().(*net.TCPAddr).Port),
			fmt.Sprintf(`connection to server at "127.0.0.1", port %d failed: timeout expired`, mute.Addr().(*net.TCPAddr).Port), ""},
		{strings.Replace(uri, "host=", "host=%2Fnonexistent,", 1) + "&target_session_attrs=standby",
			strings.Replace(socket, path, "/nonexistent", 1) + "No such file or directory" + local + "\n" + socket + "server is not in hot standby mode", ""},
	} {
		cfg := mustParse(t, test.uri)
		cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) {
			switch host {
			case "here", "127.0.0.1":
				return []string{"127.0.0.1"}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		_, err := pgwire.Connect(bg, cfg)
		var ce *pgwire.ConnError
		if !errors.As(err, &ce) || ce.Kind != pgwire.CannotConnect || err.Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.uri, err, test.want)
		}
		var said *pgwire.Error
		if errors.As(err, &said) != (test.code != "") || said != nil && said.Code != test.code {
			t.Errorf("%s: code %+v", test.uri, said)
		}
	}
}

func TestConnectCanceled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never speaks
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(bg, 30*time.Millisecond)
	defer cancel()
	soon(t, "connect", func() {
		_, err = pgwire.Connect(ctx, mustParse(t, "host=127.0.0.1 user=u sslmode=disable port="+fmt.Sprint(l.Addr().(*net.TCPAddr).Port)))
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestParameters: parameters that libpq knows and pgconn does not know are not sent to the
// server.
func TestParameters(t *testing.T) {
	cluster := pgtest.Start(t)
	uri := cluster.URI("postgres", pgtest.Superuser)
	for _, test := range []struct{ params, show, want string }{
		{"keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=2&tcp_user_timeout=1000", "application_name", ""},
		{"gssencmode=disable&load_balance_hosts=disable&sslcompression=0&requirepeer=&sslcrl=", "application_name", ""},
		{"hostaddr=&geqo=default&timezone=Default&datestyle=DEFAULT", "geqo", "on"},
		{"fallback_application_name=PostgREST%2014", "application_name", "PostgREST 14"},
		{"fallback_application_name=a&application_name=b", "application_name", "b"},
		{"options=-c%20statement_timeout%3D7s", "statement_timeout", "7s"},
		{"options=-csearch_path%3Dx%20-cwork_mem%3D2MB", "work_mem", "2MB"},
		{"client_encoding=LATIN1", "client_encoding", "UTF8"},
		{"application_name=x", "application_name", "x"},
	} {
		c := dial(t, uri+"&"+test.params)
		if got := value(t, c, "show "+test.show); got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.params, test.show, got, test.want)
		}
	}
	if _, err := pgwire.ParseConfig("postgresql://host:port"); err == nil {
		t.Error("nonsense parsed")
	}
	tcp := mustParse(t, cluster.TCPURI("postgres", pgtest.Superuser))
	for _, test := range []struct{ uri, host string }{
		{"postgresql://nowhere.invalid:%d/postgres?user=postgres&hostaddr=127.0.0.1", "nowhere.invalid"},
		{"postgresql://nowhere.invalid:1,elsewhere.invalid:%d/postgres?user=postgres&hostaddr=127.0.0.1,127.0.0.1", "elsewhere.invalid"},
		{"host=nowhere.invalid port=%d dbname=postgres user=postgres hostaddr=127.0.0.1", "nowhere.invalid"},
		{"port=%d dbname=postgres user=postgres hostaddr=127.0.0.1", "127.0.0.1"},
		{"postgresql:///postgres?user=postgres&port=%d&hostaddr=127.0.0.1", "127.0.0.1"},
	} {
		if c := dial(t, fmt.Sprintf(test.uri, tcp.Port)); c.Host() != test.host {
			t.Errorf("%s: at %q", test.uri, c.Host())
		}
	}
	if _, err := pgwire.ParseConfig("host=a,b hostaddr=127.0.0.1"); err == nil {
		t.Error("one address for two hosts")
	}
	t.Setenv("PGAPPNAME", "from the environment")
	if got := value(t, dial(t, uri), "show application_name"); got != "from the environment" {
		t.Errorf("PGAPPNAME: %q", got)
	}
}

func TestIdentity(t *testing.T) {
	cluster := pgtest.Start(t)
	c := dial(t, cluster.URI("postgres", pgtest.Superuser))
	if got := value(t, c, "select pg_backend_pid()"); got != fmt.Sprint(c.PID()) {
		t.Errorf("%s is not %d", got, c.PID())
	}
	if got := value(t, c, "select current_setting('server_version_num')"); got != fmt.Sprint(c.ServerVersion()) {
		t.Errorf("%s is not %d", got, c.ServerVersion())
	}
	if !filepath.IsAbs(c.Host()) || c.Port() == "" {
		t.Errorf("%q %q", c.Host(), c.Port())
	}
	c = dial(t, cluster.TCPURI("postgres", pgtest.Superuser))
	if c.Host() != "127.0.0.1" || c.Port() == "" {
		t.Errorf("%q %q", c.Host(), c.Port())
	}
	if c.ParameterStatus("TimeZone") != "UTC" || c.ParameterStatus("nonsense") != "" {
		t.Errorf("TimeZone %q", c.ParameterStatus("TimeZone"))
	}
	exec(t, c, "set timezone = 'Europe/Berlin'")
	if c.ParameterStatus("TimeZone") != "Europe/Berlin" {
		t.Errorf("TimeZone %q", c.ParameterStatus("TimeZone"))
	}
}

// TestPasswords: each authentication method that asks for a password.
func TestPasswords(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	cluster.Exec(t, "postgres", `create role scram login password 'sesame';
		set password_encryption = 'md5'; create role hashed login password 'sesame';
		set password_encryption = 'scram-sha-256'; create role plain login password 'sesame'`)
	hba := "local all postgres trust\nlocal all scram scram-sha-256\nlocal all hashed md5\nlocal all plain password\n"
	if err := os.WriteFile(filepath.Join(cluster.DataDir(), "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		t.Fatal(err)
	}
	cluster.Exec(t, "postgres", "select pg_reload_conf()")
	for _, user := range []string{"scram", "hashed", "plain"} {
		uri := cluster.URI("postgres", user)
		c := dial(t, uri+"&password=sesame")
		if got := value(t, c, "select current_user"); got != user {
			t.Error(got)
		}
		_, err := pgwire.Connect(bg, mustParse(t, uri+"&password=wrong"))
		var said *pgwire.Error
		if !errors.As(err, &said) || said.Code != "28P01" || !strings.HasSuffix(err.Error(), `FATAL:  password authentication failed for user "`+user+`"`) {
			t.Errorf("%s: %v", user, err)
		}
		passfile := filepath.Join(t.TempDir(), "pgpass")
		if err := os.WriteFile(passfile, []byte("*:*:*:"+user+":sesame\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		dial(t, uri+"&passfile="+passfile)
	}
}

// TestTLS: flights, cancellation and checks on an encrypted connection.
func TestTLS(t *testing.T) {
	cluster := pgtest.Start(t)
	ca := enableTLS(t, cluster)
	base := strings.Replace(cluster.TCPURI("postgres", pgtest.Superuser), "sslmode=disable", "", 1)
	for _, mode := range []string{"require", "prefer", "verify-full&sslrootcert=" + ca} {
		c := dial(t, base+"sslmode="+mode)
		if got := value(t, c, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"); got != "t" {
			t.Errorf("%s: not encrypted", mode)
		}
		var l log
		var f pgwire.Flight
		f.Add(pgwire.NewStmt("select octet_length($1::text), repeat('x', 100000)"), &l)
		f.Arg([]byte(strings.Repeat("x", 5<<20)))
		if err := c.Run(bg, &f); err != nil || !strings.Contains(l.take(), `"5242880"`) {
			t.Errorf("%s: %v", mode, err)
		}
		for range 3 {
			if err := c.Check(); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
			value(t, c, "select 1")
		}
		ctx, cancel := context.WithTimeout(bg, 30*time.Millisecond)
		f.Reset()
		f.Add(pgwire.NewStmt("select pg_sleep(600)"), nil)
		var ce *pgwire.ConnError
		if err := c.Run(ctx, &f); !errors.As(err, &ce) || ce.Kind != pgwire.Canceled || c.IsBroken() {
			t.Errorf("%s: %v", mode, err)
		}
		cancel()
		cluster.Exec(t, "postgres", fmt.Sprint("select pg_terminate_backend(", c.PID(), ")"))
		if !pgtest.Until(time.Minute, func() bool { return c.Check() != nil }) || !c.IsBroken() {
			t.Errorf("%s: dead, and not noticed", mode)
		}
	}
	// A server without TLS, and a client that requires it.
	if _, err := pgwire.Connect(bg, mustParse(t, base+"sslmode=verify-full&sslrootcert=system")); err == nil {
		t.Error("an unknown authority was believed")
	}
}

// enableTLS gives the cluster a certificate for 127.0.0.1 and returns the file
// of the authority.
func enableTLS(t *testing.T, cluster *pgtest.Cluster) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pgwire test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	cluster.WriteFile(t, "server.crt", certPEM)
	cluster.WriteFile(t, "server.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	setSSL := func(on string) {
		cluster.Exec(t, "postgres", "alter system set ssl = "+on)
		cluster.Exec(t, "postgres", "select pg_reload_conf()")
		if !pgtest.Until(time.Minute, func() bool {
			return value(t, dial(t, cluster.URI("postgres", pgtest.Superuser)), "show ssl") == on
		}) {
			t.Fatal("TLS could not be switched " + on)
		}
	}
	setSSL("on")
	t.Cleanup(func() { setSSL("off") })
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, certPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	return ca
}
