package keysets_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/keysets"
)

// TestCompressed: the bound is that of the document, however small the response is. It holds
// for errors, too, and for both documents.
func TestCompressed(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			w.WriteHeader(http.StatusNotFound)
		}
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, io.LimitReader(zeros{}, 64<<20))
		_ = z.Close()
	}))
	defer server.Close()
	p := &provider{}
	s := keysets.New(keysets.Options{Log: p, Transport: server.Client().Transport})
	s.Source(auth.Remote{URL: server.URL + "/keys"})
	s.Source(auth.Remote{Issuer: server.URL})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	s.Wait(ctx)
	for _, f := range s.Figures() {
		if !strings.Contains(f.Problem, "the document is longer than 1048576 bytes") {
			t.Errorf("%s: %q", f.From, f.Problem)
		}
	}
	cancel()
	<-ended
}

// zeros is an endless document.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
