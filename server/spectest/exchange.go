package spectest

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Response is the response to a request, or the result of a command.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Rest   int // bytes after the response

	Exit           int // exit status of a command
	Stdout, Stderr string
}

// exchange sends one request and reads one response. The request need not be
// valid. The server may respond before it has read the whole request.
func exchange(conn net.Conn, r *Request, patience time.Duration) (*Response, error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, writeErr := conn.Write(r.wire(time.Now()))
	in := bufio.NewReader(conn)
	for {
		a, err := readResponse(in, r.Method)
		if err != nil {
			if writeErr != nil {
				err = writeErr
			}
			return nil, fmt.Errorf("no response: %w", err)
		}
		if a.Status != http.StatusContinue {
			a.Rest = in.Buffered()
			return a, nil
		}
	}
}

var statusLine = regexp.MustCompile(`^HTTP/1\.[01] (\d{3})( .*)?$`)

// readResponse is a strict http.ReadResponse: it drops, merges and repairs
// nothing, so that the raw response can be compared.
func readResponse(in *bufio.Reader, method string) (*Response, error) {
	line, err := readLine(in)
	if err != nil {
		return nil, err
	}
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("%q is not a status line", short(line))
	}
	a := &Response{Header: http.Header{}}
	a.Status, _ = strconv.Atoi(m[1])
	for {
		line, err := readLine(in)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%q is not a header", short(line))
		}
		a.Header.Add(name, strings.Trim(value, " \t"))
	}
	if method == http.MethodHead || a.Status < 200 || a.Status == http.StatusNoContent || a.Status == http.StatusNotModified {
		return a, nil
	}
	a.Body, err = readBody(in, a.Header)
	if err != nil {
		return nil, fmt.Errorf("the body ends early, after %d bytes: %w", len(a.Body), err)
	}
	return a, nil
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}

func readBody(in *bufio.Reader, h http.Header) ([]byte, error) {
	if strings.Contains(strings.ToLower(h.Get("Transfer-Encoding")), "chunked") {
		body, err := io.ReadAll(httputil.NewChunkedReader(in))
		if err != nil {
			return body, err
		}
		// The chunk reader stops before the trailers.
		for {
			if line, err := readLine(in); line == "" {
				return body, err
			}
		}
	}
	if lengths := h.Values("Content-Length"); len(lengths) > 0 {
		n, err := strconv.ParseUint(lengths[0], 10, 31)
		if err != nil {
			return nil, err
		}
		body := make([]byte, n)
		got, err := io.ReadFull(in, body)
		return body[:got], err
	}
	return io.ReadAll(in)
}

// wire returns the bytes to send. It adds only Host and the length of a body.
func (r *Request) wire(now time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.Method, r.Path)
	has := map[string]bool{}
	for _, h := range r.Headers {
		has[strings.ToLower(h[0])] = true
	}
	if !has["host"] {
		b.WriteString("Host: festival.test\r\n")
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], withTokens(h[1], now))
	}
	var body []byte
	sized := r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH"
	switch {
	case r.BodyBase64 != nil:
		body, _ = base64.StdEncoding.DecodeString(*r.BodyBase64)
		sized = true
	case r.Body != nil:
		body = []byte(*r.Body)
		sized = true
	}
	if sized && !has["content-length"] && !has["transfer-encoding"] {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

var (
	tokenCall = regexp.MustCompile(`\{\{jwt (\S+) (\{.*\})\}\}`)
	timeCall  = regexp.MustCompile(`"@now([+-]\d+)?"`)
)

// withTokens replaces {{jwt SECRET CLAIMS}} by an HS256 token. In the claims it
// replaces "@now+20" by a time, so that a recorded case can test expiry.
func withTokens(value string, now time.Time) string {
	return tokenCall.ReplaceAllStringFunc(value, func(call string) string {
		m := tokenCall.FindStringSubmatch(call)
		claims := timeCall.ReplaceAllStringFunc(m[2], func(t string) string {
			shift, _ := strconv.ParseInt(timeCall.FindStringSubmatch(t)[1], 10, 64)
			return strconv.FormatInt(now.Unix()+shift, 10)
		})
		enc := base64.RawURLEncoding
		token := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString([]byte(claims))
		mac := hmac.New(sha256.New, []byte(m[1]))
		mac.Write([]byte(token))
		return token + "." + enc.EncodeToString(mac.Sum(nil))
	})
}
