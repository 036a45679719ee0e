package compare

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// response is what a server has sent. Bodies of HEAD, 204 and 304 are empty.
type response struct {
	Status int
	Header http.Header
	Body   *digest
	Cut    error         // the connection ended within the body
	Err    error         // there is no response; the other fields are zero
	Took   time.Duration // to the end of the body
}

var (
	errTooLong  = errors.New("the body is longer than --max-body")
	errSwitched = errors.New("101 Switching Protocols without a request for it")
)

// unreachable reports whether an error says nothing about the request: the server does not listen,
// or there was no time.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, errTooLong)
}

// server is one of the two servers.
type server struct {
	name    string // old or new
	base    *url.URL
	timeout time.Duration
	maxBody int64
	client  http.RoundTripper
}

func newServer(name, base string, o *options) (*server, error) {
	if base == "" {
		return nil, fail("--%s is missing: the URL of the %s server", name, name)
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fail("--%s is not the URL of a server, such as http://127.0.0.1:3000", name)
	}
	if u.User != nil {
		return nil, fail("--%s has a user name; give it with --header 'Authorization: Basic ...'", name)
	}
	u.Path = strings.TrimSuffix(u.EscapedPath(), "/")
	return &server{
		name: name, base: u, timeout: o.timeout, maxBody: o.maxBody,
		client: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: o.timeout}).DialContext,
			MaxIdleConnsPerHost: o.concurrency,
			DisableCompression:  true,
			TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1.1 only
		},
	}, nil
}

// reach returns an error if the server does not accept connections, or has no valid certificate.
func (s *server) reach(ctx context.Context) error {
	port := s.base.Port()
	if port == "" {
		port = s.base.Scheme // a service name
	}
	plain := &net.Dialer{Timeout: s.timeout}
	dial := plain.DialContext
	if s.base.Scheme == "https" {
		dial = (&tls.Dialer{NetDialer: plain}).DialContext
	}
	c, err := dial(ctx, "tcp", net.JoinHostPort(s.base.Hostname(), port))
	if err != nil {
		return fail("cannot reach the %s server: %v", s.name, err)
	}
	return c.Close()
}

// address is where a target is at this server.
func (s *server) address(target string) string {
	return s.base.Scheme + "://" + s.base.Host + s.base.Path + target
}

// ask sends a request with its headers and a token, if there is one.
func (s *server) ask(ctx context.Context, r *request) *response {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	began := time.Now()
	a := s.exchange(ctx, r)
	a.Took = time.Since(began)
	return a
}

func (s *server) exchange(ctx context.Context, r *request) *response {
	sent, err := http.NewRequestWithContext(ctx, r.Method, s.base.String(), bytes.NewReader(r.Body))
	if err != nil {
		return &response{Err: err}
	}
	// Opaque is sent without a change. The absolute form prevents that //x is taken for a host.
	sent.URL = &url.URL{Scheme: s.base.Scheme, Host: s.base.Host, Opaque: s.base.Path + r.Target}
	if strings.HasPrefix(sent.URL.Opaque, "//") {
		sent.URL.Opaque = "//" + s.base.Host + sent.URL.Opaque
	}
	if r.Header != nil {
		sent.Header = r.Header.Clone()
	}
	if sent.Header.Get("User-Agent") == "" {
		sent.Header.Set("User-Agent", "fastgrest-compare")
	}
	got, err := s.client.RoundTrip(sent)
	if err != nil {
		return &response{Err: err}
	}
	defer got.Body.Close()
	if got.StatusCode == http.StatusSwitchingProtocols {
		return &response{Err: errSwitched} // its body has neither an end nor a deadline
	}
	a := &response{Status: got.StatusCode, Header: got.Header, Body: newDigest()}
	_, err = io.Copy(a.Body, io.LimitReader(got.Body, s.maxBody+1))
	switch {
	case ctx.Err() != nil:
		return &response{Err: ctx.Err()}
	case a.Body.size > s.maxBody:
		return &response{Err: errTooLong}
	}
	a.Cut = err
	return a
}
