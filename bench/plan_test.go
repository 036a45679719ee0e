package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlanCheck(t *testing.T) {
	whole := func() plan {
		return plan{connections: []int{1, 1024}, rates: []int{1, 200_000}, pools: []int{1, 200}, delays: []time.Duration{0, time.Second}, seconds: 1, rounds: 1}
	}
	p := whole()
	if err := p.check(); err != nil {
		t.Error(err)
	}
	p.connections = nil
	if err := p.check(); err != nil {
		t.Errorf("open loops alone: %v", err)
	}
	f := func(want string, spoil func(*plan)) {
		t.Helper()
		p := whole()
		spoil(&p)
		if err := p.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("--connections: 0", func(p *plan) { p.connections = []int{0} })
	f("--connections: 10001", func(p *plan) { p.connections = []int{64, 10_001} })
	f("--rates: 0", func(p *plan) { p.rates = []int{0} })
	f("--rates: 200001", func(p *plan) { p.rates = []int{200_001} })
	f("--pool: 257", func(p *plan) { p.pools = []int{257} })
	f("--procs: 0", func(p *plan) { p.procs = []int{0} })
	f("--delay: -1ns", func(p *plan) { p.delays = []time.Duration{-1} })
	f("--delay: 2s", func(p *plan) { p.delays = []time.Duration{2 * time.Second} })
	f("nothing to measure", func(p *plan) { p.connections, p.rates = nil, nil })
	f("a closed loop", func(p *plan) { p.connections, p.profile = nil, true })
	f("nothing to measure", func(p *plan) { p.pools = nil })
	f("nothing to measure", func(p *plan) { p.delays = nil })
	f("nothing to measure", func(p *plan) { p.seconds = 0 })
	f("nothing to measure", func(p *plan) { p.rounds = 0 })
}

func TestMixFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one.txt", "# First.\n# Second.\n\n  get    /a?id=eq.{n}\nn 1..9\nheader Prefer: count=exact\nsetup create table a ()\nsetup create table b ()\n")
	write("two.txt", "delete /b\r\nsql select 1\n")
	write("notes.md", "no mix")
	names := func(list []mix) (all []string) {
		for _, m := range list {
			all = append(all, m.name)
		}
		return all
	}
	f := func(want []string, asked ...string) []mix {
		t.Helper()
		list, err := mixes(asked)
		if err != nil || !slices.Equal(names(list), want) {
			t.Errorf("%q: got %q, %v, want %q", asked, names(list), err, want)
		}
		return list
	}
	f([]string{"one"}, one)
	f(usualMixes)
	f(append(slices.Clone(everyMix), "one", "two"), "all", dir)
	list := f([]string{"row", "one", "two"}, "row", dir)
	if m := list[1]; m.about != "First. Second." || m.method != "GET" || m.path != "/a?id=eq.{n}" || !slices.Equal(m.headers, []string{"Prefer: count=exact"}) ||
		!slices.Equal(m.setup, []string{"create table a ()", "create table b ()"}) || slices.Contains(m.floors, byJSON) {
		t.Errorf("got %+v", m)
	}
	if m := list[2]; m.method != "DELETE" || m.path != "/b" || m.varies() || !slices.Contains(m.floors, byJSON) {
		t.Errorf("got %+v", m)
	}

	bad := func(want string, asked ...string) {
		t.Helper()
		if _, err := mixes(asked); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", asked, err, want)
		}
	}
	bad("no such file", filepath.Join(dir, "three.txt"))
	bad("there is no mix", "three")
	bad("two mixes are called", one, one)
	bad("two mixes are called", "row", "all")
	bad("no mix in", t.TempDir())
	bad("bad.txt:2: unknown word", write("bad.txt", "get /a\nfoo"))
	bad("from 9 to 1", write("range.txt", "get /a\nn 9..1"))
}

// TestPlanOf checks that the loads of a mix apply unless flags give others.
func TestPlanOf(t *testing.T) {
	list, err := mixes([]string{"low", "arena", "row"})
	if err != nil {
		t.Fatal(err)
	}
	f := func(x int, connections, rates, pools []int, flags ...string) {
		t.Helper()
		p := plan{connections: []int{64}, pools: []int{10}}
		if flags != nil {
			p.rates = []int{7}
			p.given = func(flag string) bool { return slices.Contains(flags, flag) }
		}
		got := p.of(&list[x])
		if !slices.Equal(got.connections, connections) || !slices.Equal(got.rates, rates) || !slices.Equal(got.pools, pools) {
			t.Errorf("%s with %q: got %d, %d, %d", list[x].name, flags, got.connections, got.rates, got.pools)
		}
	}
	low, usual, ten := []int{200, 1000, 3000}, []int{64}, []int{10}
	f(0, nil, low, ten)
	f(0, nil, low, ten, "pool")
	f(0, usual, []int{7}, ten, "rate")
	f(0, usual, []int{7}, ten, "connections")
	f(1, []int{1024}, nil, []int{256})
	f(1, []int{1024}, nil, ten, "pool")
	f(2, usual, nil, ten)
}
