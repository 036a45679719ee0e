package issuertest

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// asProvider is the environment variable that makes the test program a provider.
const asProvider = "ISSUERTEST_PROVIDER"

func TestMain(m *testing.M) {
	if os.Getenv(asProvider) != "" {
		runProvider()
		return
	}
	pgtest.MainWaiting(m)
}

// --- in the process of the provider

// provider is an OpenID provider as far as a resource server sees it. Its keys are for
// ES256; their names count from 1.
type provider struct {
	mu       sync.Mutex
	issuer   string
	keys     map[int]*ecdsa.PrivateKey // those of the set
	last     int                       // the newest key
	signs    int                       // the key that signs
	mode     string                    // what is wrong with the key set; "": nothing
	maxAge   int
	answered int // key sets that were sent
}

// runProvider serves until standard input ends. It prints its address and its
// certificate.
func runProvider() {
	p := &provider{keys: map[int]*ecdsa.PrivateKey{}, signs: 1}
	p.add()
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("/keys", p.keySet)
	mux.HandleFunc("/control", p.control)
	server := httptest.NewTLSServer(mux)
	p.issuer = server.URL
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"issuer": p.issuer, "certificate": string(certificate)})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (p *provider) add() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p.last++
	p.keys[p.last] = key
}

func (p *provider) configuration(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"issuer": p.issuer, "jwks_uri": p.issuer + "/keys"})
}

func (p *provider) keySet(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	mode := p.mode
	p.mu.Unlock()
	switch mode {
	case "down":
		panic(http.ErrAbortHandler) // closes the connection
	case "slow":
		select {
		case <-time.After(30 * time.Second):
		case <-r.Context().Done():
		}
		return
	case "garbage":
		_, _ = io.WriteString(w, `{"keys":[{"kty":`)
		return
	case "huge":
		piece := []byte(strings.Repeat(" ", 1<<20))
		for range 1 << 10 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
		return
	case "redirect":
		http.Redirect(w, r, strings.ReplaceAll(p.issuer, "127.0.0.1", "localhost")+"/keys", http.StatusFound)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered++
	list := []map[string]string{}
	for id, key := range p.keys {
		point, err := key.PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		list = append(list, map[string]string{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": strconv.Itoa(id), "x": encode(point[1:33]), "y": encode(point[33:])})
	}
	w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(p.maxAge))
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": list})
}

// status is what control returns.
type status struct {
	Key      int // that signs
	Answered int // key sets that were sent
	Token    string
}

// control changes the provider as the query says, and returns its status.
func (p *provider) control(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, values := range r.URL.Query() {
		n, _ := strconv.Atoi(values[0])
		switch name {
		case "mode":
			p.mode = values[0]
		case "max-age":
			p.maxAge = n
		case "add":
			p.add()
		case "sign":
			p.signs = n
		case "withdraw":
			delete(p.keys, n)
		}
	}
	_ = json.NewEncoder(w).Encode(status{Key: p.signs, Answered: p.answered, Token: sign(p.keys[p.signs], p.issuer, strconv.Itoa(p.signs))})
}

// sign makes a token that is valid for an hour.
func sign(key *ecdsa.PrivateKey, issuer, kid string) string {
	claims, err := json.Marshal(map[string]any{"iss": issuer, "aud": []string{"api"}, "role": "member", "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		panic(err)
	}
	body := encode([]byte(`{"alg":"ES256","kid":"`+kid+`"}`)) + "." + encode(claims)
	h := crypto.SHA256.New()
	h.Write([]byte(body))
	r, s, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
	if err != nil {
		panic(err)
	}
	return body + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// --- in the process of the test

// remote is a provider in another process.
type remote struct {
	issuer      string
	certificate *x509.Certificate
	client      *http.Client
	tb          testing.TB
}

// startProvider starts a provider, which ends with the test.
func startProvider(tb testing.TB) *remote {
	tb.Helper()
	program, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	process := exec.Command(program)
	process.Env = append(os.Environ(), asProvider+"=1")
	process.Stderr = io.Discard
	input, err := process.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := process.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { input.Close(); _ = process.Wait() })
	line, err := bufio.NewReader(output).ReadBytes('\n')
	var said struct{ Issuer, Certificate string }
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil {
		tb.Fatalf("the provider said %q: %v", line, err)
	}
	p := &remote{issuer: said.Issuer, tb: tb}
	block, _ := pem.Decode([]byte(said.Certificate))
	if p.certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
		tb.Fatal(err)
	}
	p.client = &http.Client{Transport: trust(p)}
	tb.Cleanup(p.client.CloseIdleConnections)
	return p
}

// trust is a transport that trusts the certificates of providers.
func trust(providers ...*remote) *http.Transport {
	pool := x509.NewCertPool()
	for _, p := range providers {
		pool.AddCert(p.certificate)
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
}

// ask sends a query to control.
func (p *remote) ask(format string, args ...any) (s status) {
	p.tb.Helper()
	response, err := p.client.Get(p.issuer + "/control?" + fmt.Sprintf(format, args...))
	if err != nil {
		p.tb.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		p.tb.Fatal(err)
	}
	return s
}
