package keysets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/fastgrest/fastgrest/server/auth"
)

const (
	maxDocument  = 1 << 20
	maxHeader    = 64 << 10
	maxRedirects = 3
	maxProblem   = 300 // bytes of an error, which may quote what the provider has sent
)

func newClient(o Options) *http.Client {
	transport := o.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = maxHeader
		t.IdleConnTimeout = patience
		transport = t
	}
	return &http.Client{
		Transport: bounded{transport, o.UserAgent},
		CheckRedirect: func(r *http.Request, before []*http.Request) error {
			switch first := before[0].URL; {
			case r.URL.Host != first.Host || r.URL.Scheme != first.Scheme:
				return errors.New("redirects to another host are not followed")
			case len(before) > maxRedirects:
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}

// bounded limits the size of what a server sends, after decompression.
type bounded struct {
	http.RoundTripper
	userAgent string
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", b.userAgent)
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{response.Body, maxDocument}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the document is longer than %d bytes", maxDocument)
	}
	return n, err
}

// fetch fetches a key set. lifetime is how long it may be used.
func (s *Store) fetch(ctx context.Context, r auth.Remote, before *auth.Keys) (keys *auth.Keys, lifetime time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address := r.URL
	if address == "" {
		if address, err = s.discover(ctx, r.Issuer); err != nil {
			return nil, 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("%s: status %s", address, response.Status)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", address, err)
	}
	if keys, err = auth.ParseKeySet(text, before); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", address, err)
	}
	return keys, s.options.Limits.lifetime(response.Header), nil
}

// discover returns the address of an issuer's key set. The issuer in the document has to
// be the same text (OpenID Connect Discovery 1.0, 4.3). An issuer on the network cannot
// send this server to addresses of http, which are on this machine.
func (s *Store) discover(ctx context.Context, issuer string) (address string, err error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), issuer)
	if err != nil {
		return "", err
	}
	var document struct {
		Address string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return "", err
	}
	u, err := auth.ParseKeySetURL(document.Address)
	if err != nil {
		return "", fmt.Errorf("jwks_uri of %s is not usable: %w", issuer, err)
	}
	if u.Scheme != "https" && strings.HasPrefix(issuer, "https:") {
		return "", fmt.Errorf("jwks_uri of %s is not usable: it has no https", issuer)
	}
	return document.Address, nil
}

// lifetime returns how long a response is fresh (RFC 9111, 4.2), within the limits.
func (l *Limits) lifetime(h http.Header) time.Duration {
	lifetime := usualLifetime
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, argument, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-cache", "no-store":
				return l.Shortest
			case "max-age":
				// What is not a number counts as 0 (RFC 9111, 4.2.1).
				lifetime = secondsOf(strings.Trim(argument, `"`)) - secondsOf(h.Get("Age"))
			}
		}
	}
	return min(max(lifetime, l.Shortest), l.Longest)
}

// secondsOf parses delta-seconds, up to a year.
func secondsOf(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0
	}
	return time.Duration(min(n, 365*24*3600)) * time.Second
}

// shorten returns the text of an error as one line of a bounded length.
func shorten(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "?")), " ")
	if len(text) > maxProblem {
		text = strings.ToValidUTF8(text[:maxProblem], "") + "..."
	}
	return text
}
