package spectest

import (
	"flag"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var crowdAll = flag.Bool("crowd-all", false, "TestCrowds sends all reads of the corpus, instead of a part")

const (
	crowdSize  = 32
	crowdLoops = 2  // a plan counts as quick after twenty requests
	crowdCases = 40 // without -crowd-all
)

// TestCrowds sends each read of the corpus by many clients at once, so that requests wait for
// a connection, share one and run as one statement. All get the response of the corpus.
func TestCrowds(t *testing.T) {
	cases, err := loadCases(os.DirFS(corpusDir), "cases")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(pendingFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	waiting, err := readPending(file)
	if err != nil {
		t.Fatal(err)
	}
	var reads []*Case
	for _, c := range cases {
		if c.Group == "base" && c.Scenario == "" && c.Request != nil && c.Request.Method == "GET" && c.Request.Port == "" && c.Retry == 0 &&
			c.Before == (Before{}) && waiting.reason(c.Name) == "" && !strings.HasPrefix(c.Request.Path, "/rpc/") {
			reads = append(reads, c)
		}
	}
	part := reads
	if !*crowdAll {
		part = nil
		for i := 0; i < len(reads); i += max(1, len(reads)/crowdCases) {
			part = append(part, reads[i])
		}
	}
	s := start(t, startFixture(t, corpusDir), mustProgram(t), "base", func(g *group) { g.conf += "\ndb-pool = 2\n" })
	if s.err != nil {
		t.Fatal(s.err)
	}
	for _, c := range part {
		if !crowd(t, s.server, c) {
			return
		}
	}
	a, err := s.server.request(&Request{Method: "GET", Path: "/metrics", Port: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(a.Body)) {
		if strings.HasPrefix(line, "fastgrest_coalesced") {
			t.Logf("%d cases, %s", len(part), line)
		}
	}
}

func crowd(t *testing.T, s *server, c *Case) bool {
	var over sync.WaitGroup
	var failed atomic.Bool
	for range crowdSize {
		over.Go(func() {
			for range crowdLoops {
				a, err := s.request(c.Request)
				problems := []string{}
				if err != nil {
					problems = append(problems, err.Error())
				} else {
					problems = compare(c, a, s.mask)
				}
				if len(problems) > 0 && !failed.Swap(true) {
					t.Error(describe(c, problems))
				}
			}
		})
	}
	over.Wait()
	return !failed.Load()
}
