package manual_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const patience = 2 * time.Minute

// request is an example's request.
type request struct {
	method, target string
	headers        []string // lines
	body           string
}

var requestLine = regexp.MustCompile(`^([A-Z]+) (/[!-~]*)$`)

// parseRequest reads the text of a block.
func parseRequest(text string) (request, error) {
	head, body, _ := strings.Cut(strings.TrimRight(text, "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	m := requestLine.FindStringSubmatch(lines[0])
	if m == nil {
		return request{}, fmt.Errorf("%q is not METHOD PATH in printable ASCII without spaces", lines[0])
	}
	r := request{method: m[1], target: m[2], headers: lines[1:], body: body}
	for _, line := range r.headers {
		if name, _, ok := strings.Cut(line, ": "); !ok || strings.Contains(name, " ") {
			return r, fmt.Errorf("%q is not a header", line)
		}
	}
	return r, nil
}

// header is the value of the first header of a name.
func (r request) header(name string) string {
	for _, line := range r.headers {
		if n, value, _ := strings.Cut(line, ": "); strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}

// wire is what is sent.
func (r request) wire() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.method, r.target)
	if r.header("Host") == "" {
		b.WriteString("Host: " + apiName + "\r\n")
	}
	for _, line := range r.headers {
		b.WriteString(line + "\r\n")
	}
	if r.body != "" || r.method == http.MethodPost || r.method == http.MethodPatch || r.method == http.MethodPut {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.body))
	}
	b.WriteString("Connection: close\r\n\r\n" + r.body)
	return b.String()
}

// response is what a page has, or what came.
type response struct {
	status  string   // as in "200 OK"
	headers []string // lines
	body    string
}

// parseResponse reads the text of a block.
func parseResponse(text string) response {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	return response{status: lines[0], headers: lines[1:], body: body}
}

func (r response) String() string {
	text := strings.Join(append([]string{r.status}, r.headers...), "\n")
	if r.body != "" {
		text += "\n\n" + r.body
	}
	return text
}

// send sends a request to an address and reads the response. The headers are in no order.
func send(address string, r request) (response, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return response{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return response{}, err
	}
	if _, err := io.WriteString(conn, r.wire()); err != nil {
		return response{}, err
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.method})
	if err != nil {
		return response{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	came := response{status: strings.TrimSpace(got.Status), body: strings.TrimRight(string(body), "\n")}
	for name, values := range got.Header {
		for _, v := range values {
			came.headers = append(came.headers, name+": "+v)
		}
	}
	return came, err
}

// part returns the value at a JSON pointer of a document.
func part(document, pointer string) (string, error) {
	value := json.RawMessage(document)
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(value, &object); err != nil {
			return "", err
		}
		value = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		if value == nil {
			return "", errors.New("the document has no " + pointer)
		}
	}
	return string(value), nil
}
