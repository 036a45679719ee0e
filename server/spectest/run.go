package spectest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silence is after how many requests without an answer in a row a server is
// given up, rather than waited for hundreds of times.
const silence = 8

// session is a server while a unit is run against it.
type session struct {
	t      *testing.T // of the unit
	server *server
	db     *database
	err    error // why there is no server
	silent int
}

// ask runs one case and returns what is wrong with the answer. A case that may
// take its time is repeated until it fits. The answer is nil if there was none.
func (s *session) ask(c *Case) (*Answer, []string) {
	switch {
	case s.err != nil:
		return nil, []string{s.err.Error()}
	case s.silent >= silence:
		return nil, []string{"not sent: the server has stopped answering"}
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

// askTwice is ask for cases that leave nothing behind: what a server answers from
// its caches must be what it answered without.
func (s *session) askTwice(c *Case) []string {
	_, problems := s.ask(c)
	if len(problems) > 0 {
		return problems
	}
	_, problems = s.ask(c)
	for i := range problems {
		problems[i] = "when asked again: " + problems[i]
	}
	return problems
}

// prepare does what comes before a case.
func (s *session) prepare(c *Case) {
	if c.Before.SQL != "" {
		s.db.exec(s.t, c.Before.SQL)
	}
	if name := c.Before.Signal; name != "" {
		sig, ok := signals[name]
		if !ok {
			s.t.Fatalf("%s: unknown signal %s", c.Name, name)
		}
		_ = s.server.cmd.Process.Signal(sig) // a server that is gone will not answer either
	}
	time.Sleep(time.Duration(c.Before.Sleep * float64(time.Second)))
}

// describe is a failure as a person wants to read it.
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
