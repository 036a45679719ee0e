package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// fakeServer starts a PostgreSQL server that greets every connection with the same
// messages and knows only the empty statement. It returns the server's address.
func fakeServer(t *testing.T, messages ...pgproto3.BackendMessage) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				b := pgproto3.NewBackend(conn, conn)
				for {
					m, err := b.ReceiveStartupMessage()
					if err != nil {
						return
					}
					if _, ok := m.(*pgproto3.StartupMessage); ok {
						break
					}
					conn.Write([]byte("N")) // no TLS
				}
				for _, m := range messages {
					b.Send(m)
				}
				b.Flush()
				for { // until the client goes
					m, err := b.Receive()
					if err != nil {
						return
					}
					switch m.(type) {
					case *pgproto3.Query:
						b.Send(&pgproto3.EmptyQueryResponse{})
					case *pgproto3.Sync:
					default:
						continue
					}
					b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
					b.Flush()
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestFatal: an error that waiting cannot fix ends the process with one line, in
// any language of the server.
func TestFatal(t *testing.T) {
	greeting := func(version string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{
			&pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "server_version", Value: version}, &pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"},
			&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}}, &pgproto3.ReadyForQuery{TxStatus: 'I'},
		}
	}
	refused := []pgproto3.BackendMessage{&pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "28P01", Message: "Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen",
	}}
	for _, c := range []struct {
		name    string
		server  []pgproto3.BackendMessage
		channel string
		want    string
	}{
		{"password", refused, "true", `Failed to establish a connection. {"code":"PGRST000",`},
		{"password without listener", refused, "false", `Failed to establish a connection. {"code":"PGRST000",`},
		{"old version", greeting("13.16"), "false", "Cannot run in this PostgreSQL version (13.16), fastgrest needs at least 14.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &database{t: t}
			p := d.launch("", "--db-uri", "postgresql://x:y@"+fakeServer(t, c.server...)+"/db?sslmode=disable", "--db-channel-enabled", c.channel,
				"--server-port", pgtest.FreePort(t, "127.0.0.1"))
			if code := p.end().ExitCode(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			lines := strings.Split(strings.TrimSpace(p.errs.String()), "\n")
			if len(lines) != 2 || !strings.Contains(lines[0], "Starting fastgrest") || !strings.Contains(lines[1], c.want) {
				t.Errorf("it said:\n%s", p.errs.String())
			}
		})
	}
}

// TestSpoolDirectoryMissing: the default log level shows this error.
func TestSpoolDirectoryMissing(t *testing.T) {
	d := newDatabase(t)
	p := d.start("--spool-directory", "/nowhere/at/all", "--log-level", "error", "--server-port", pgtest.FreePort(t, "127.0.0.1"))
	if !strings.Contains(p.errs.String(), "Large responses are kept in memory, because no file can be created (spool-directory): ") {
		t.Errorf("log:\n%s", p.errs.String())
	}
}

// TestReadySocket: --ready asks the admin server on its unix socket, and says
// why it is not ready.
func TestReadySocket(t *testing.T) {
	d := newDatabase(t)
	socket := filepath.Join(shortDir(t), "admin")
	p := d.launch("", "--db-uri", d.uri, "--db-schemas", "nowhere", "--admin-server-unix-socket", socket, "--server-port", pgtest.FreePort(t, "127.0.0.1"))
	p.awaitListening()
	ready := func() (int, string) {
		var out, errs screen
		code := run(t.Context(), []string{"--ready"}, []string{"PGRST_ADMIN_SERVER_UNIX_SOCKET=" + socket}, &out, &errs)
		return code, out.String() + errs.String()
	}
	want := "ERROR: /ready on " + socket + ": 503 Service Unavailable: it is not connected to the database, or the schema cache is not loaded\n"
	if code, said := ready(); code != 1 || said != want {
		t.Errorf("%d %q", code, said)
	}
	d.value("create schema nowhere")
	eventually(t, "it is ready", func() bool { code, said := ready(); return code == 0 && said == "OK: /ready on "+socket+"\n" })
}

// shortDir is a folder whose name is short enough for a socket in it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "short")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
