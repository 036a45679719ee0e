package clients

import (
	"bufio"
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzTrailers: whatever follows the head, the head stays what it was, a body
// that is taken is the one that Go's own HTTP reads, and what is read ends where
// the next request begins.
func FuzzTrailers(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "0\r\nX-User-Id: 1\r\n\r\n", "3\r\nabc\r\n0\r\nAccept: text/csv\r\nAuthorization: Bearer x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
		"1\r\na\r\n02;x=\"y\"\r\nbc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n", "3\nabc\n0\n\n", "0\r\nA: b\n\r\n", "0\r\nA\r\n\r\n",
		"-1\r\n\r\n", "ffffffffffffffffff\r\n", "0\r\n" + strings.Repeat("A: b\r\n", 70) + "\r\n", "0\r\nA: " + strings.Repeat("b", 9000) + "\r\n\r\n",
		"0\r\nContent-Length: 5\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0;" + strings.Repeat("a", 5000) + "\r\n\r\n", "0\r\n: b\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		const sent = "POST / HTTP/1.1\r\nHost: a\r\nX-User-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
		in := bufio.NewReaderSize(strings.NewReader(sent+body), 64<<10)
		var r fasthttp.Request
		if err := r.Header.Read(in); err != nil {
			t.Fatal(err)
		}
		if err := r.ContinueReadBodyStream(in, 0, false); err != nil {
			t.Fatal(err)
		}
		before := r.Header.String()
		c := chunks{r: readerOf(r.BodyStream())}
		got, err := io.ReadAll(&c)
		if after := r.Header.String(); after != before {
			t.Fatalf("the head was\n%s\nand is\n%s", before, after)
		}
		if err != nil {
			if again, err2 := c.Read(make([]byte, 1)); again != 0 || err2 != err {
				t.Fatalf("after %v: %d, %v", err, again, err2)
			}
			return
		}
		rest, _ := io.ReadAll(in)
		theirs := bufio.NewReader(strings.NewReader(body))
		want, err := io.ReadAll(httputil.NewChunkedReader(theirs))
		if err != nil && strings.Contains(err.Error(), "non-data") {
			return // a bound of theirs, for many lines together
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q is taken for %q; Go says %q, %v", body, got, want, err)
		}
		trailers, _ := io.ReadAll(theirs)
		trailers, ok := bytes.CutSuffix(trailers, rest)
		if !ok || !bytes.HasSuffix(trailers, crlf) || len(trailers) > maxTrailerBytes+2*maxTrailers+2 {
			t.Fatalf("%q: trailers %q, then %q", body, trailers, rest)
		}
		if at := bytes.Index(append([]byte("\r\n"), trailers...), []byte("\r\n\r\n")); at != len(trailers)-2 {
			t.Fatalf("%q: there is an empty line in %q", body, trailers)
		}
	})
}
