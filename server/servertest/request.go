package servertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

// Response is a whole response. The last three are those of an error object.
type Response struct {
	Status                 int
	Header                 http.Header
	Body                   string
	Code, Message, Details string
}

func (r Response) String() string { return fmt.Sprintf("%d %s", r.Status, r.Body) }

// OK reports whether the request succeeded.
func (r Response) OK() bool { return r.Status < 300 }

// Send sends a request. A body is JSON unless headers, which are name, value, ..., say otherwise.
func Send(client *http.Client, method, target, body string, headers ...string) (Response, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequest(method, "http://api"+target, content)
	if err != nil {
		return Response{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, err
	}
	return Response{Status: response.StatusCode, Header: response.Header, Body: string(text)}, nil
}

// Try sends a request to the API. A failure without an error object is an error.
func (s *Server) Try(method, target, body string, headers ...string) (Response, error) {
	r, err := Send(s.API, method, target, body, headers...)
	if err != nil || r.Status < 400 {
		return r, err
	}
	var object struct{ Code, Message, Details string }
	if err := json.Unmarshal([]byte(r.Body), &object); err != nil {
		return r, fmt.Errorf("status %d without an error object: %q", r.Status, r.Body)
	}
	r.Code, r.Message, r.Details = object.Code, object.Message, object.Details
	return r, nil
}

// Later is Try in the background. The response comes on the channel. An error fails the
// test.
func (s *Server) Later(method, target, body string, headers ...string) <-chan Response {
	done := make(chan Response, 1)
	go func() {
		r, err := s.Try(method, target, body, headers...)
		if err != nil {
			s.tb.Errorf("%s %s: %v", method, target, err)
		}
		done <- r
	}()
	return done
}

// Do sends a request to the API and fails the test if there is no response.
func (s *Server) Do(method, target, body string, headers ...string) Response {
	s.tb.Helper()
	r, err := s.Try(method, target, body, headers...)
	if err != nil {
		s.tb.Fatalf("%s %s: %v\n%s", method, target, err, s.Log.String())
	}
	return r
}

// Token signs claims, which are JSON.
func Token(claims string) string {
	return authtest.Sign([]byte(claims), []byte(Secret))
}

// Bearer is the header with a token.
func Bearer(claims string) (name, value string) {
	return "Authorization", "Bearer " + Token(claims)
}
