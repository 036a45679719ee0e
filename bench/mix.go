package main

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed mixes/*.txt
var mixFiles embed.FS

// mix is a kind of request: `make bench` measures each on its own.
type mix struct {
	name  string
	about string
	path  string // with {n}
	low   int
	high  int
	sql   string // the rows of the answer; $1 is the number
}

// mixes reads the named mixes, or all of them, in a fixed order.
func mixes(names []string) ([]mix, error) {
	if len(names) == 0 {
		names = []string{"row", "page", "bulk"}
	}
	var list []mix
	for _, name := range names {
		text, err := mixFiles.ReadFile(path.Join("mixes", name+".txt"))
		if err != nil {
			return nil, fmt.Errorf("there is no mix %q", name)
		}
		m, err := parseMix(name, string(text))
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// parseMix reads lines of a word and what it says.
func parseMix(name, text string) (mix, error) {
	m := mix{name: name}
	for number, line := range strings.Split(strings.TrimSpace(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		var err error
		switch word {
		case "#":
			m.about = rest
		case "get":
			m.path = rest
		case "sql":
			m.sql = rest
		case "n":
			_, err = fmt.Sscanf(rest, "%d..%d", &m.low, &m.high)
		default:
			err = fmt.Errorf("unknown word %q", word)
		}
		if err != nil {
			return mix{}, fmt.Errorf("mixes/%s.txt:%d: %w", name, number+1, err)
		}
	}
	return m, nil
}

// number puts n into the mix's path.
func (m mix) number(n string) string { return strings.ReplaceAll(m.path, "{n}", n) }
