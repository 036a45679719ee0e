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

// The mixes in the order of a run. The usual ones take five minutes, all of them half an hour. tableMixes are those of
// a comparison with PostgREST: saturated servers, then constant rates, many connections and a web shop.
var (
	usualMixes = []string{"row", "page", "bulk", "embed", "insert"}
	everyMix   = []string{"row", "page", "bulk", "embed", "embed-deep", "embed-many", "insert", "insert-20", "insert-1000", "batch-20", "update",
		"tokens", "tokens-many", "tokens-kept", "policy", "call-get", "call-post", "call-rows", "slow", "idle", "low", "arena", "mixed"}
	tableMixes = []string{"row", "page", "embed", "insert", "policy", "low", "arena", "mixed"}
)

// tableGroup is the name of tableMixes for --mix.
const tableGroup = "table"

// mix is a kind of request. Each mix is measured separately.
type mix struct {
	name  string
	about string

	// {n} in the path and the body of the request is a number from low to high.
	request
	kinds  []kind // several kinds of requests in one load; the first one is the mix's request, too
	low    int
	high   int
	askers []asker

	loads // of this mix, unless flags name others

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

// request is what is sent.
type request struct {
	method  string
	path    string
	headers []string
	body    string
}

// kind is one of several kinds of requests of a mix.
type kind struct {
	name    string
	percent int
	request
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
		case name == tableGroup:
			more, err = mixes(tableMixes)
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
		return nil, fmt.Errorf("there is no mix %q, only %s, table and all; a file's name has a / in it or ends in %s", name, strings.Join(everyMix, ", "), mixSuffix)
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
	if err := m.finish(); err != nil {
		return mix{}, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// finish checks the words of a mix and adds what follows from them.
func (m *mix) finish() error {
	if m.kinds != nil {
		sum := 0
		for i := range m.kinds {
			sum += m.kinds[i].percent
			if err := m.kinds[i].finish(); err != nil {
				return fmt.Errorf("kind %s: %w", m.kinds[i].name, err)
			}
		}
		switch {
		case sum != 100:
			return fmt.Errorf("the kinds are %d percent of the requests", sum)
		case m.path != "" || m.aside != "":
			return errors.New("a request outside the kinds")
		case len(m.floors) > 0:
			return errors.New("a mix of several kinds has no floor")
		}
		m.request = m.kinds[0].request
	} else if err := m.request.finish(); err != nil {
		return err
	}
	if m.high < m.low {
		return fmt.Errorf("no number is from %d to %d", m.low, m.high)
	}
	if m.sql == "" { // no rows for the JSON floor
		m.floors = slices.DeleteFunc(m.floors, func(who subject) bool { return who == byJSON })
	}
	if m.askers == nil {
		m.askers = []asker{{}}
	}
	return nil
}

func (r *request) finish() error {
	if r.path == "" {
		return errors.New("no request")
	}
	typed := slices.ContainsFunc(r.headers, func(h string) bool { return strings.HasPrefix(h, "Content-Type: ") })
	if r.body != "" && !typed {
		r.headers = append(r.headers, "Content-Type: application/json")
	}
	return nil
}

// current returns the request that the words of a mix file describe: that of the last kind, if there is one.
func (m *mix) current() *request {
	if len(m.kinds) > 0 {
		return &m.kinds[len(m.kinds)-1].request
	}
	return &m.request
}

func (m *mix) word(word, rest string) (err error) {
	switch word {
	case "#":
		m.about = strings.TrimSpace(m.about + " " + rest)
	case "get", "post", "patch", "put", "delete":
		m.current().method, m.current().path = strings.ToUpper(word), rest
	case "kind":
		var k kind
		if _, err = fmt.Sscanf(rest, "%s %d", &k.name, &k.percent); err == nil && (k.percent < 1 || k.percent > 100) {
			err = fmt.Errorf("%d is not from 1 to 100 percent", k.percent)
		}
		m.kinds = append(m.kinds, k)
	case "header":
		if name, _, ok := strings.Cut(rest, ": "); !ok || name == "" {
			return fmt.Errorf("a header is a name, a colon, a space and a value, not %q", rest)
		}
		m.current().headers = append(m.current().headers, rest)
	case "aside":
		if _, err = fmt.Sscanf(rest, "%d %s", &m.asidePercent, &m.aside); err == nil && (m.asidePercent < 1 || m.asidePercent > 99) {
			err = fmt.Errorf("%d is not from 1 to 99 percent", m.asidePercent)
		}
	case "idle":
		m.idle, err = parseCount(rest)
	case "users":
		m.users, err = parseCount(rest)
	case "body":
		m.current().body = rest
	case "times": // the body is an array with that many elements
		var n int
		if n, err = parseCount(rest); err != nil {
			return err
		}
		r := m.current()
		r.body = "[" + strings.TrimSuffix(strings.Repeat(r.body+",", n), ",") + "]"
	case "n":
		_, err = fmt.Sscanf(rest, "%d..%d", &m.low, &m.high)
	case "connections":
		m.connections, err = parseCounts(rest)
	case "rates":
		m.rates, err = parseCounts(rest)
	case "pool":
		m.pools, err = parseCounts(rest)
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

// parseCounts reads numbers with spaces between them.
func parseCounts(text string) (list []int, err error) {
	for word := range strings.FieldsSeq(text) {
		n, err := parseCount(word)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
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
	for _, r := range m.requests() {
		for i := range r.headers {
			r.headers[i] = replace(r.headers[i])
		}
	}
	return errors.Join(errs...)
}

// target returns the load target of one asker.
func (m *mix) target(addr string, a asker, k *keys) load.Target {
	t := load.Target{Addr: addr, Method: m.method, Path: m.path, Headers: a.headers(m.headers), Body: m.body, Low: m.low, High: m.high}
	for i, k := range m.kinds {
		if i == 0 {
			t.Name = k.name
			continue
		}
		t.Others = append(t.Others, load.Other{Name: k.name, Percent: k.percent, Method: k.method, Path: k.path, Headers: a.headers(k.headers), Body: k.body})
	}
	if m.aside != "" {
		t.Others = append(t.Others, load.Other{Percent: m.asidePercent, Path: m.aside, Headers: t.Headers})
	}
	wantsToken := func(kind load.Target) bool {
		return slices.ContainsFunc(kind.Headers, func(h string) bool { return strings.Contains(h, "{token}") })
	}
	if slices.ContainsFunc(t.Kinds(), wantsToken) {
		t.Tokens = k.tokens(m.users)
	}
	return t
}

// headers returns the headers of a request together with the asker's.
func (a asker) headers(list []string) []string {
	if a.header == "" {
		return list
	}
	return append(slices.Clip(list), a.header)
}

// requests returns the requests of the mix.
func (m *mix) requests() []request {
	list := []request{m.request}
	for _, k := range m.kinds {
		list = append(list, k.request)
	}
	return list
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
