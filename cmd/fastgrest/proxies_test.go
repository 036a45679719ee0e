package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// proxied is two servers behind a proxy.
type proxied struct {
	t        *testing.T
	database *database
	dir      string
	address  string // of the proxy
	servers  [2]*process
	hosts    [2]string
	ports    [2]string
	admin    string // the port of both admin servers
	large    int    // bytes of the response with all of /large
	root     *x509.CertPool
}

// newProxied starts the servers. Both hosts have the same admin port.
func newProxied(t *testing.T) *proxied {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has 127.0.0.2")
	}
	dir, err := os.MkdirTemp("", "proxy") // the proxy drops its rights; t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &proxied{t: t, database: newDatabase(t), dir: dir, hosts: [2]string{"127.0.0.1", "127.0.0.2"}}
	p.address = "127.0.0.1:" + pgtest.FreePort(t, "127.0.0.1")
	p.admin = pgtest.FreePort(t, "127.0.0.2")
	p.large = p.database.large()
	for i, host := range p.hosts {
		p.ports[i] = pgtest.FreePort(t, host)
		p.servers[i] = p.start(i)
	}
	p.certificate()
	return p
}

func (p *proxied) start(i int) *process {
	return p.database.start("--server-host", p.hosts[i], "--server-port", p.ports[i], "--admin-server-port", p.admin)
}

// certificate writes a certificate of api.example.com, with its key, to cert.pem, and the key to key.pem.
func (p *proxied) certificate() {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "api.example.com"}, DNSNames: []string{"api.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		p.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	p.write("cert.pem", string(public)+string(secret))
	p.write("key.pem", string(secret))
	p.root = x509.NewCertPool()
	p.root.AppendCertsFromPEM(public)
}

func (p *proxied) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// configure writes a proxy's configuration with other addresses and paths. Each
// pair is an old text, which the file must have, and a new one.
func (p *proxied) configure(name string, pairs ...string) string {
	p.t.Helper()
	text := readPackaging(p.t, name)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			p.t.Errorf("%s does not have %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return p.write(name, text)
}

// check runs the proxy's own check of its configuration.
func (p *proxied) check(name string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(strings.ToLower(string(out)), "warn") {
		p.t.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
}

// run starts the proxy and waits until a request goes through it.
func (p *proxied) run(name string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	cmd.WaitDelay = time.Minute // processes of the proxy's own may keep its output open
	proxy := p.database.supervise(cmd)
	p.t.Cleanup(func() { // killed, it would leave them
		proxy.signal(syscall.SIGTERM)
		<-proxy.over
	})
	eventually(p.t, "a request through "+name, func() bool {
		select {
		case <-proxy.over:
			p.t.Fatalf("%s ended: %s", name, proxy.errs.String())
		default:
		}
		status, _, err := p.get(p.client(), "/item")
		return err == nil && status == 200
	})
}

// client is a client with connections of its own.
func (p *proxied) client() *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", p.address)
		},
		TLSClientConfig: &tls.Config{RootCAs: p.root}, ForceAttemptHTTP2: true,
	}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func (p *proxied) get(client *http.Client, target string) (status int, body string, err error) {
	resp, err := client.Get("https://api.example.com" + target)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// behave sends requests through the proxy.
func (p *proxied) behave() {
	t := p.t
	client := p.client()
	for target, want := range map[string]string{
		"/item?select=%22id%22&id=in.(1,2)&and=(id.gt.0,id.lt.3)": `[{"id":1}]`,
		"/item?select=id::text&id=eq.1":                           `[{"id":"1"}]`,
		"/item?id=not.eq.1":                                       `[]`,
	} {
		if status, body, err := p.get(client, target); err != nil || status != 200 || body != want {
			t.Errorf("%s: %d %s %v, want %s", target, status, body, err, want)
		}
	}
	if status, body, err := p.get(client, "/large"); err != nil || status != 200 || len(body) != p.large {
		t.Errorf("large response: %d, %d bytes, %v, want %d", status, len(body), err, p.large)
	}
	// The longest value that fits into the 64 KiB of fastgrest with everything else, less what the proxy needs.
	list := "/item?id=in.(1" + strings.Repeat(",2", 24<<10/2) + ")"
	if status, body, err := p.get(client, list); err != nil || status != 200 || body != `[{"id":1}]` {
		t.Errorf("a long request: %d %.100s %v", status, body, err)
	}
	p.leave()
	p.replace()
}

// leave ends a client during its request: the query is cancelled.
func (p *proxied) leave() {
	p.database.value("select pg_advisory_lock(1)")
	client := p.client()
	client.Timeout = 0
	ctx, cancel := context.WithCancel(p.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", "https://api.example.com/rpc/held", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	over := make(chan error)
	go func() {
		_, err := client.Do(req)
		over <- err
	}()
	eventually(p.t, "it waits", func() bool { return p.database.waiting() == "1" })
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		p.t.Errorf("the client: %v", err)
	}
	eventually(p.t, "the query is cancelled", func() bool { return p.database.waiting() == "0" })
	p.database.value("select pg_advisory_unlock(1)")
}

// replace stops and starts one server after the other while clients send requests, and kills one in
// the end. No request fails: the proxy sends those that the killed server had to the other.
func (p *proxied) replace() {
	stop := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	sent, failed := 0, []string{}
	count := func() int { mu.Lock(); defer mu.Unlock(); return sent }
	for range 4 {
		client := p.client()
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				status, body, err := p.get(client, "/item")
				mu.Lock()
				sent++
				if err != nil || status != 200 {
					failed = append(failed, fmt.Sprintf("%d %.200s %v", status, body, err))
				}
				mu.Unlock()
			}
		})
	}
	more := func() {
		until := count() + 200
		eventually(p.t, "more requests", func() bool { return count() >= until })
	}
	for i := range p.servers {
		more()
		p.servers[i].signal(syscall.SIGTERM)
		p.servers[i].endsWell()
		more()
		p.servers[i] = p.start(i)
		// The proxy uses the server again: it has a connection for LISTEN, and one of a request.
		admin := net.JoinHostPort(p.hosts[i], p.admin)
		eventually(p.t, "requests of the new server", func() bool {
			resp, err := http.Get("http://" + admin + "/metrics")
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			return err == nil && strings.Contains(string(text), `fastgrest_requests_total{class="2xx"} `) &&
				!strings.Contains(string(text), `fastgrest_requests_total{class="2xx"} 0`)
		})
	}
	more()
	p.servers[0].signal(syscall.SIGKILL)
	p.servers[0].end()
	more()
	close(stop)
	all.Wait()
	p.t.Logf("%d of %d requests failed", len(failed), sent)
	if len(failed) > 0 {
		p.t.Errorf("%d of %d requests failed, the first with %s", len(failed), sent, failed[0])
	}
}

// found skips a test without the proxy.
func found(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	t.Skipf("SKIPPED WITHOUT %s: install it (apt-get install %s)", strings.ToUpper(name), name)
	return ""
}

func TestNginx(t *testing.T) {
	program := found(t, "nginx")
	p := newProxied(t)
	own := "http {\n    access_log off;\n    error_log stderr crit;\n" // errors are lines of 24 KiB
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		own += fmt.Sprintf("    %s_temp_path %s;\n", kind, filepath.Join(p.dir, kind))
	}
	file := p.configure("nginx.conf", "http {\n", own, "listen 443", "listen "+p.address,
		"/etc/ssl/api.example.com.pem", filepath.Join(p.dir, "cert.pem"), "/etc/ssl/api.example.com.key", filepath.Join(p.dir, "key.pem"),
		"127.0.0.1:3000", net.JoinHostPort(p.hosts[0], p.ports[0]), "127.0.0.1:3100", net.JoinHostPort(p.hosts[1], p.ports[1]), "fail_timeout=10s", "fail_timeout=1s")
	args := []string{"-p", p.dir, "-c", file, "-e", "stderr", "-g", "daemon off; pid " + filepath.Join(p.dir, "pid") + ";"}
	p.check(program, append(args, "-t", "-q")...)
	p.run(program, args...)
	p.behave()
}

func TestHAProxy(t *testing.T) {
	program := found(t, "haproxy")
	p := newProxied(t)
	file := p.configure("haproxy.cfg", "bind :443", "bind "+p.address, "/etc/haproxy/api.example.com.pem", filepath.Join(p.dir, "cert.pem"),
		"10.0.0.1:3000", net.JoinHostPort(p.hosts[0], p.ports[0]), "10.0.0.2:3000", net.JoinHostPort(p.hosts[1], p.ports[1]), "port 3001", "port "+p.admin)
	p.check(program, "-c", "-f", file)
	p.run(program, "-db", "-f", file)
	p.behave()
}

func TestCaddy(t *testing.T) {
	program := found(t, "caddy")
	p := newProxied(t)
	_, port, _ := net.SplitHostPort(p.address)
	file := p.configure("Caddyfile", "api.example.com {", "{\n\tadmin off\n\tauto_https off\n}\n\nhttps://api.example.com:"+port+" {\n\tbind 127.0.0.1\n\ttls "+
		filepath.Join(p.dir, "cert.pem")+" "+filepath.Join(p.dir, "key.pem")+"\n",
		"10.0.0.1:3000", net.JoinHostPort(p.hosts[0], p.ports[0]), "10.0.0.2:3000", net.JoinHostPort(p.hosts[1], p.ports[1]), "health_port 3001", "health_port "+p.admin)
	p.run(program, "run", "--adapter", "caddyfile", "--config", file)
	p.behave()
}
