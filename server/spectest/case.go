package spectest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
)

// Case is one thing that is asked, and what has to come back.
type Case struct {
	Name     string      `json:"name"`     // "area/topic: what" as a rule, unique
	Group    string      `json:"group"`    // configuration; "base" if empty
	Scenario string      `json:"scenario"` // cases of a scenario build on each other
	Before   Before      `json:"before"`   // what happens first
	Retry    float64     `json:"retry"`    // seconds it may take to come true
	Request  *Request    `json:"request"`
	Command  *Command    `json:"command"` // instead of a request: group "cli"
	Expect   Expectation `json:"expect"`
	Ignore   []Exception `json:"ignore"`
	Match    []Exception `json:"match"`
	Options  struct {
		KeyOrder  *bool    `json:"key_order"` // false: the order of keys is free
		Unordered []string `json:"unordered"` // pointers to arrays whose order is free
	} `json:"options"`

	// Area is the directory of the case's file.
	Area string `json:"-"`

	// Loose cases, those of testdata/own, compare the headers that are expected
	// and no others (one expected as nil must be absent), and do not count
	// line breaks at the end of a body.
	Loose bool `json:"-"`
}

// readOnly reports whether the case cannot write: a command does not, and
// requests with other methods run in read-only transactions.
func (c *Case) readOnly() bool {
	return c.Request == nil || slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, c.Request.Method)
}

// showsSequence reports whether the answer shows a number from a sequence:
// generated requests insert rows without keys, and errors show such rows.
// Sequences are not rolled back, so the number depends on the inserts before.
func (c *Case) showsSequence() bool { return c.Area == "generated" && failingRow.Match(c.Expect.JSON) }

var failingRow = regexp.MustCompile(`Failing row contains \(\d`)

// Before is done before a case is sent.
type Before struct {
	SQL    string  `json:"sql"`
	Signal string  `json:"signal"` // SIGUSR1 or SIGUSR2
	Sleep  float64 `json:"sleep"`  // seconds
}

// Request goes on the wire as it is written here.
type Request struct {
	Method     string      `json:"method"`
	Path       string      `json:"path"`
	Headers    [][2]string `json:"headers"`
	Body       *string     `json:"body"`
	BodyBase64 *string     `json:"body_base64"`
	Port       string      `json:"port"` // "admin", or the API
}

// Command is a run of the program. In all its texts {{config}} is the path of
// a file with the text Config, {{dir}} the directory of that, {{db_uri}},
// {{db_port}} and {{db}} a database with the fixture.
type Command struct {
	Args   []string    `json:"args"`
	Env    [][2]string `json:"env"`
	Config *string     `json:"config"`
	Files  [][2]string `json:"files"` // name and text
}

// Expectation is the answer. A body is in at most one of JSON, Body and Base64;
// none means an empty one.
type Expectation struct {
	Status  int                   `json:"status"`
	Headers map[string]HeaderText `json:"headers"`
	JSON    json.RawMessage       `json:"json"`
	Body    string                `json:"body"`
	Base64  *string               `json:"base64"`

	Exit   int    `json:"exit"` // of a command
	Stdout string `json:"stdout"`
}

// HeaderText holds the values of one header in order; in a file a single one
// is a string and not a list.
type HeaderText []string

// UnmarshalJSON reads either form.
func (h *HeaderText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*h = make(HeaderText, 1)
		return json.Unmarshal(b, &(*h)[0])
	}
	return json.Unmarshal(b, (*[]string)(h))
}

// Exception takes a part of the answer out of the comparison. A part is "status",
// "body", "header:NAME" or "json:/pointer" ("*" is any item), for commands
// "stdout" or "stderr". With a Regex the part has to match it instead.
type Exception struct {
	Part  string `json:"part"`
	Regex string `json:"regex"`
	Why   string `json:"why"`
}

// loadCases reads all case files below dir in order of their names.
func loadCases(fsys fs.FS, dir string) ([]*Case, error) {
	var all []*Case
	seen := map[string]string{}
	err := fs.WalkDir(fsys, dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".json" {
			return err
		}
		raw, err := fs.ReadFile(fsys, file)
		if err != nil {
			return err
		}
		var cases []*Case
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&cases); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, c := range cases {
			c.Area = path.Base(path.Dir(file))
			if err := c.check(); err != nil {
				return fmt.Errorf("%s: %q: %w", file, c.Name, err)
			}
			if other, ok := seen[c.Name]; ok {
				return fmt.Errorf("%s: %q is in %s too", file, c.Name, other)
			}
			seen[c.Name] = file
		}
		all = append(all, cases...)
		return nil
	})
	return all, err
}

// check finds what a typing mistake in a case would otherwise hide.
func (c *Case) check() error {
	if c.Group == "" {
		c.Group = "base"
	}
	switch {
	case c.Name == "":
		return fmt.Errorf("a case without a name")
	case (c.Request == nil) == (c.Command == nil):
		return fmt.Errorf("either a request or a command")
	case (c.Group == commandGroup) != (c.Command != nil):
		return fmt.Errorf("commands, and nothing else, are in group %q", commandGroup)
	case c.Before != Before{} && c.Scenario == "":
		return fmt.Errorf("\"before\" outside of a scenario disturbs other cases")
	}
	return nil
}
