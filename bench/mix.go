package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/bench/load"
)

//go:embed mixes/*.txt
var mixFiles embed.FS

// The mixes in the order of a run. The usual ones take five minutes, all of them half an hour.
var (
	usualMixes = []string{"row", "page", "bulk", "embed", "insert"}
	everyMix   = []string{"row", "page", "bulk", "embed", "embed-deep", "embed-many", "insert", "insert-20", "insert-1000", "update",
		"tokens", "tokens-many", "tokens-kept", "policy", "call-get", "call-post", "call-rows", "slow", "idle"}
)

// mix is a kind of request. Each mix is measured separately.
type mix struct {
	name  string
	about string

	// The request. {n} in path and body is a number from low to high.
	method  string
	path    string
	headers []string
	body    string
	low     int
	high    int
	askers  []asker

	aside        string // path of other requests that are sent in between
	asidePercent int
	idle         int // number of additional idle connections
	users        int // number of users for {token}

	env    []string  // settings of the server for this mix, "NAME=value"
	setup  []string  // SQL, run once
	reset  string    // SQL that undoes the writes of the previous measurement
	sql    string    // the rows of the response; $1 is the number
	floors []subject // the floors that the server is compared with
	pieces int       // number of parts of a measurement, for shorter turns
	bars   []bar
}

// asker is a name for clients that send a certain header. A mix with several askers measures each.
type asker struct {
	name   string
	header string
}

// mixes reads the named mixes, files, and folders of files. Without names it
// returns the usual mixes.
func mixes(names []string) (list []mix, err error) {
	if len(names) == 0 {
		names = usualMixes
	}
	for _, name := range names {
		var more []mix
		switch {
		case name == "all":
			more, err = mixes(everyMix)
		case strings.ContainsRune(name, '/') || strings.HasSuffix(name, mixSuffix):
			more, err = mixesAt(name)
		default:
			more, err = mixNamed(name)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	for i, m := range list {
		if slices.ContainsFunc(list[:i], func(other mix) bool { return other.name == m.name }) {
			return nil, fmt.Errorf("two mixes are called %q", m.name)
		}
	}
	return list, nil
}

const mixSuffix = ".txt"

func mixNamed(name string) ([]mix, error) {
	text, err := mixFiles.ReadFile(path.Join("mixes", name+mixSuffix))
	if err != nil {
		return nil, fmt.Errorf("there is no mix %q, only %s, and all; a file's name has a / in it or ends in %s", name, strings.Join(everyMix, ", "), mixSuffix)
	}
	m, err := parseMix(name, "mixes/"+name+mixSuffix, string(text))
	return []mix{m}, err
}

// mixesAt reads a file, or the files of a folder in the order of their names.
func mixesAt(place string) (list []mix, err error) {
	files := []string{place}
	if info, err := os.Stat(place); err != nil {
		return nil, err
	} else if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(place, "*"+mixSuffix)); err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no mix in %s: their names end in %s", place, mixSuffix)
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := parseMix(strings.TrimSuffix(filepath.Base(file), mixSuffix), file, string(text))
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// parseMix reads lines that consist of a word and its value.
func parseMix(name, file, text string) (mix, error) {
	m := mix{name: name, floors: []subject{byWire, byJSON, byPgbench}, pieces: 1, users: manyTokens}
	for number, line := range strings.Split(strings.TrimSpace(text), "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" {
			continue
		}
		if err := m.word(word, strings.TrimSpace(rest)); err != nil {
			return mix{}, fmt.Errorf("%s:%d: %w", file, number+1, err)
		}
	}
	if m.path == "" {
		return mix{}, fmt.Errorf("%s: no request", file)
	}
	if m.high < m.low {
		return mix{}, fmt.Errorf("%s: no number is from %d to %d", file, m.low, m.high)
	}
	if m.sql == "" { // no rows for the JSON floor
		m.floors = slices.DeleteFunc(m.floors, func(who subject) bool { return who == byJSON })
	}
	if m.askers == nil {
		m.askers = []asker{{}}
	}
	if m.body != "" {
		m.headers = append(m.headers, "Content-Type: application/json")
	}
	return m, nil
}

func (m *mix) word(word, rest string) (err error) {
	switch word {
	case "#":
		m.about = strings.TrimSpace(m.about + " " + rest)
	case "get", "post", "patch", "put", "delete":
		m.method, m.path = strings.ToUpper(word), rest
	case "header":
		if name, _, ok := strings.Cut(rest, ": "); !ok || name == "" {
			return fmt.Errorf("a header is a name, a colon, a space and a value, not %q", rest)
		}
		m.headers = append(m.headers, rest)
	case "aside":
		if _, err = fmt.Sscanf(rest, "%d %s", &m.asidePercent, &m.aside); err == nil && (m.asidePercent < 1 || m.asidePercent > 99) {
			err = fmt.Errorf("%d is not from 1 to 99 percent", m.asidePercent)
		}
	case "idle":
		m.idle, err = parseCount(rest)
	case "users":
		m.users, err = parseCount(rest)
	case "body":
		m.body = rest
	case "times": // the body is an array with that many elements
		var n int
		if n, err = parseCount(rest); err != nil {
			return err
		}
		m.body = "[" + strings.TrimSuffix(strings.Repeat(m.body+",", n), ",") + "]"
	case "n":
		_, err = fmt.Sscanf(rest, "%d..%d", &m.low, &m.high)
	case "pieces":
		m.pieces, err = parseCount(rest)
	case "as":
		name, header, _ := strings.Cut(rest, ": ")
		m.askers = append(m.askers, asker{name, header})
	case "env":
		m.env = append(m.env, rest)
	case "setup":
		m.setup = append(m.setup, rest)
	case "reset":
		m.reset = rest
	case "sql":
		m.sql = rest
	case "floor":
		m.floors, err = parseFloors(rest)
	case "bar":
		var b bar
		b, err = parseBar(rest)
		m.bars = append(m.bars, b)
	default:
		err = fmt.Errorf("unknown word %q", word)
	}
	return err
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && (n < 1 || n > 100_000) {
		err = fmt.Errorf("%d is not a number from 1 to 100,000", n)
	}
	return n, err
}

// floorWords are the names of the floors in mix files.
var floorWords = map[string]subject{"same": byWire, "json_agg": byJSON, "pgbench": byPgbench}

func parseFloors(text string) ([]subject, error) {
	if text == "none" {
		return nil, nil
	}
	var list []subject
	for word := range strings.FieldsSeq(text) {
		who, ok := floorWords[word]
		if !ok {
			return nil, fmt.Errorf("unknown floor %q", word)
		}
		list = append(list, who)
	}
	return list, nil
}

// keyed inserts secrets and tokens into settings and headers.
func (m *mix) keyed(k *keys) error {
	var errs []error
	replace := func(text string) string {
		text, err := k.replace(text)
		errs = append(errs, err)
		return text
	}
	for i := range m.env {
		m.env[i] = replace(m.env[i])
	}
	for i := range m.askers {
		m.askers[i].header = replace(m.askers[i].header)
	}
	return errors.Join(errs...)
}

// target returns the load target of one asker.
func (m *mix) target(addr string, a asker, k *keys) load.Target {
	t := load.Target{Addr: addr, Method: m.method, Path: m.path, Headers: m.headers, Body: m.body, Low: m.low, High: m.high,
		Aside: m.aside, AsidePercent: m.asidePercent}
	if a.header != "" {
		t.Headers = append(slices.Clip(m.headers), a.header)
	}
	if strings.Contains(a.header, "{token}") {
		t.Tokens = k.tokens(m.users)
	}
	return t
}

// marks are numbers that replace the drawn one in a probing request. capture finds them in the statements. They
// are unlikely to occur for other reasons.
var marks = []int{73127, 7319, 719}

func (m *mix) mark() int {
	for _, n := range marks {
		if m.low <= n && n <= m.high {
			return n
		}
	}
	return m.low
}

// varies reports whether there is a number to draw.
func (m *mix) varies() bool { return m.high > m.low }
