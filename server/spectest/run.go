package spectest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silence is the number of consecutive requests without a response after which
// a server is not used any more. Otherwise the test would wait for a dead
// server hundreds of times.
const silence = 8

// session is a server while a unit runs against it.
type session struct {
	t      *testing.T // of the unit
	server *server
	db     *database
	err    error // why there is no server
	silent int
}

// ask runs one case and returns its problems. It repeats a case with Retry
// until it passes or the time is up. The response is nil if there was none.
func (s *session) ask(c *Case) (*Response, []string) {
	switch {
	case s.err != nil:
		return nil, []string{s.err.Error()}
	case s.silent >= silence:
		return nil, []string{"not sent: the server has stopped responding"}
	}
	s.prepare(c)
	if s.db != nil && !c.readOnly() {
		s.db.written = true
	}
	deadline := time.Now().Add(time.Duration(c.Retry * float64(time.Second)))
	for {
		a, err := s.server.request(c.Request)
		var problems []string
		if err != nil {
			problems = []string{err.Error()}
		} else {
			problems = compare(c, a, s.server.mask)
		}
		if len(problems) > 0 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		s.silent++
		if err == nil {
			s.silent = 0
		}
		return a, problems
	}
}

var signals = map[string]syscall.Signal{"SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2}

// askTwice is ask for cases that change nothing: the response from the server's
// caches must equal the first response.
func (s *session) askTwice(c *Case) (*Response, []string) {
	a, problems := s.ask(c)
	if len(problems) > 0 {
		return a, problems
	}
	a, problems = s.ask(c)
	for i := range problems {
		problems[i] = "when asked again: " + problems[i]
	}
	return a, problems
}

// prepare runs the actions before a case.
func (s *session) prepare(c *Case) {
	if c.Before.SQL != "" {
		s.db.exec(s.t, c.Before.SQL)
	}
	if name := c.Before.Signal; name != "" {
		sig, ok := signals[name]
		if !ok {
			s.t.Fatalf("%s: unknown signal %s", c.Name, name)
		}
		_ = s.server.cmd.Process.Signal(sig) // the request will show if the server has exited
	}
	time.Sleep(time.Duration(c.Before.Sleep * float64(time.Second)))
}

// describe formats a failure.
func describe(c *Case, problems []string) string {
	var b strings.Builder
	if c.Command != nil {
		fmt.Fprintf(&b, "%q", c.Command.Args)
		if c.Command.Config != nil {
			fmt.Fprintf(&b, " with configuration %q", short(*c.Command.Config))
		}
	} else {
		fmt.Fprintf(&b, "%s %s", c.Request.Method, short(c.Request.Path))
		for _, h := range c.Request.Headers {
			fmt.Fprintf(&b, "\n    > %s: %s", h[0], short(h[1]))
		}
		if c.Request.Body != nil {
			fmt.Fprintf(&b, "\n    > %q", short(*c.Request.Body))
		}
	}
	for _, p := range problems {
		fmt.Fprintf(&b, "\n    - %s", p)
	}
	return b.String()
}
