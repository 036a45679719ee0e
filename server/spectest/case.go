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

// Case is one request or command and its expected result.
type Case struct {
	Name     string      `json:"name"`     // unique; usually "area/topic: what"
	Group    string      `json:"group"`    // name of the configuration; "base" if empty
	Scenario string      `json:"scenario"` // the cases of a scenario depend on each other
	Before   Before      `json:"before"`   // actions before the request
	Retry    float64     `json:"retry"`    // seconds within which the result must match
	Request  *Request    `json:"request"`
	Command  *Command    `json:"command"` // instead of a request, in group "cli"
	Expect   Expectation `json:"expect"`
	Ignore   []Exception `json:"ignore"`
	Match    []Exception `json:"match"`
	Options  struct {
		KeyOrder  *bool    `json:"key_order"` // false: the order of keys is ignored
		Unordered []string `json:"unordered"` // pointers to arrays whose order is ignored
	} `json:"options"`

	// Area is the directory of the case's file.
	Area string `json:"-"`

	// Loose is set for the cases of testdata/own. They compare only the
	// expected headers (an expected nil means that the header must be absent)
	// and ignore line breaks at the end of a body.
	Loose bool `json:"-"`
}

// readOnly reports whether the case cannot write. Commands do not write, and
// requests with these methods run in read-only transactions.
func (c *Case) readOnly() bool {
	return c.Request == nil || slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, c.Request.Method)
}

// showsSequence reports whether the response shows a number from a sequence.
// Generated requests insert rows without keys, and error messages show such
// rows. A rollback does not reset sequences, so the number depends on earlier
// inserts.
func (c *Case) showsSequence() bool { return c.Area == "generated" && failingRow.Match(c.Expect.JSON) }

var failingRow = regexp.MustCompile(`Failing row contains \(\d`)

// Before holds the actions before a case is sent.
type Before struct {
	SQL    string  `json:"sql"`
	Signal string  `json:"signal"` // SIGUSR1 or SIGUSR2
	Sleep  float64 `json:"sleep"`  // seconds
}

// Request is sent exactly as it is written here.
type Request struct {
	Method     string      `json:"method"`
	Path       string      `json:"path"`
	Headers    [][2]string `json:"headers"`
	Body       *string     `json:"body"`
	BodyBase64 *string     `json:"body_base64"`
	Port       string      `json:"port"` // "admin", or empty for the API
}

// Command is a run of the program. Its texts may contain placeholders:
// {{config}} is the path of a file with the text Config, {{dir}} that file's
// directory, and {{db_uri}}, {{db_port}} and {{db}} locate a database with the
// fixture.
type Command struct {
	Args   []string    `json:"args"`
	Env    [][2]string `json:"env"`
	Config *string     `json:"config"`
	Files  [][2]string `json:"files"` // name and text
}

// Expectation is the expected result. At most one of JSON, Body and Base64 is
// set; if none is, the body must be empty.
type Expectation struct {
	Status  int                   `json:"status"`
	Headers map[string]HeaderText `json:"headers"`
	JSON    json.RawMessage       `json:"json"`
	Body    string                `json:"body"`
	Base64  *string               `json:"base64"`

	Exit   int    `json:"exit"` // exit status of a command
	Stdout string `json:"stdout"`
}

// HeaderText holds the values of one header in order. In a case file a single
// value may be a string instead of a list.
type HeaderText []string

// UnmarshalJSON reads a string or a list.
func (h *HeaderText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*h = make(HeaderText, 1)
		return json.Unmarshal(b, &(*h)[0])
	}
	return json.Unmarshal(b, (*[]string)(h))
}

// Exception excludes a part of the result from the comparison. A part is
// "status", "body", "header:NAME" or "json:/pointer" ("*" matches any item);
// for commands it is "stdout" or "stderr". With a Regex the part must match it
// instead.
type Exception struct {
	Part  string `json:"part"`
	Regex string `json:"regex"`
	Why   string `json:"why"`
}

// loadCases reads all case files below dir in the order of their names.
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

// check finds mistakes in a case that would otherwise have no effect.
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
		return fmt.Errorf("group %q is for commands, and only for them", commandGroup)
	case c.Before != Before{} && c.Scenario == "":
		return fmt.Errorf("\"before\" outside of a scenario disturbs other cases")
	}
	return nil
}
