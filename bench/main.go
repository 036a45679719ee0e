package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/bench/load"
)

// plan holds the flags.
type plan struct {
	server      string
	peers       []program
	env         []string
	mixes       []string
	connections []int
	pools       []int
	delays      []time.Duration
	rates       []int
	seconds     float64
	rounds      int
	others      float64
	floorOnly   bool
	durable     bool
	procs       []int
	profile     bool
	out         string
	given       func(flag string) bool // whether the command line has a flag; nil if it has none
}

// loads are the loads of a mix: closed loops over numbers of connections, and open loops at rates, with each size of
// the pool.
type loads struct{ connections, rates, pools []int }

// of returns the plan of one mix. The loads of the mix replace those that the flags do not give.
func (p *plan) of(x *mix) *plan {
	given := func(flags ...string) bool { return p.given != nil && slices.ContainsFunc(flags, p.given) }
	mine := *p
	if x.connections != nil || x.rates != nil {
		if !given("connections", "rates", "rate") {
			mine.connections, mine.rates = x.connections, x.rates
		}
	}
	if x.pools != nil && !given("pool") {
		mine.pools = x.pools
	}
	return &mine
}

func (p *plan) duration() time.Duration { return time.Duration(p.seconds * float64(time.Second)) }

// programs returns all programs to start or measure. The first is the one under
// test.
func (p *plan) programs() []program {
	return append([]program{{name: string(byServer), args: []string{p.server}}}, p.peers...)
}

// check rejects impossible plans before anything is started.
func (p *plan) check() error {
	for _, list := range []struct {
		flag      string
		numbers   []int
		low, high int
	}{
		{"connections", p.connections, 1, load.MaxConnections},
		{"rates", p.rates, 1, load.MaxRate},
		{"pool", p.pools, 1, maxPool},
		{"procs", p.procs, 1, maxProcs},
	} {
		for _, n := range list.numbers {
			if n < list.low || n > list.high {
				return fmt.Errorf("--%s: %d is not from %d to %d", list.flag, n, list.low, list.high)
			}
		}
	}
	for _, d := range p.delays {
		if d < 0 || d > time.Second {
			return fmt.Errorf("--delay: %s is not from 0 to 1s", d)
		}
	}
	switch {
	case len(p.connections) == 0 && len(p.rates) == 0, len(p.pools) == 0, len(p.delays) == 0:
		return errors.New("nothing to measure: no connections and no rates, no pool or no delay")
	case p.profile && len(p.connections) == 0:
		return errors.New("profiles are taken under a closed loop: it needs connections")
	case p.seconds <= 0 || p.rounds < 1:
		return errors.New("nothing to measure: no time or no rounds")
	}
	return nil
}

// maxPool bounds the number of PostgreSQL's processes.
const maxPool = 256

// maxProcs bounds GOMAXPROCS.
const maxProcs = 256

// openConnections is the maximum number of connections of an open loop.
const openConnections = 512

func main() {
	beChild()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var (
		p     plan
		peers []string
	)
	pflag.StringVar(&p.server, "server", "./fastgrest", "the program to measure; it is configured by PGRST_ variables")
	pflag.StringArrayVar(&peers, "peer", nil, "another server, measured in the same rounds: classic, the baseline; postgrest, which is searched in PATH, or /path/to/postgrest; NAME=COMMAND, which is configured like --server; or NAME=http://127.0.0.1:PORT, a running server, optionally with ,pid=PID; may be repeated; $"+peersVariable+" has more, separated by ;")
	pflag.StringArrayVar(&p.env, "env", nil, "environment variable NAME=value for all started programs; may be repeated")
	pflag.StringSliceVar(&p.mixes, "mix", nil, "mixes to run: names, files, folders of files, or all (default "+strings.Join(usualMixes, ", ")+")")
	pflag.IntSliceVar(&p.connections, "connections", []int{64}, "HTTP connections, each a closed loop; one number or several")
	pflag.IntSliceVar(&p.rates, "rates", nil, "requests per second of open loops, measured after the closed ones")
	pflag.IntSliceVar(&p.rates, "rate", nil, "the same")
	pflag.IntSliceVar(&p.pools, "pool", []int{10}, "connections to PostgreSQL for the servers and the floors; one number or several")
	pflag.DurationSliceVar(&p.delays, "delay", []time.Duration{0}, "additional round trip time to PostgreSQL, such as 500us; one or several")
	pflag.Float64Var(&p.seconds, "seconds", 4, "length of one measurement")
	pflag.IntVar(&p.rounds, "rounds", 3, "measurements of each subject, in turns; the report shows medians")
	pflag.Float64Var(&p.others, "others", 100, "percentage of the machine that other programs may take; while they take more, the bench measures up to three times as many rounds and keeps the quietest")
	pflag.BoolVar(&p.durable, "durable", false, "the database waits until its commits are on the disk, as PostgreSQL does by default")
	pflag.BoolVar(&p.floorOnly, "floor", false, "measure the database alone, without any server")
	pflag.BoolVar(&p.profile, "profile", false, "take CPU, heap, mutex and block profiles of this build's server instead")
	pflag.IntSliceVar(&p.procs, "procs", nil, "numbers of GOMAXPROCS; the server is measured, or profiled, with each")
	pflag.StringVar(&p.out, "out", "bench/out", "folder for results")
	pflag.Parse()
	p.given = pflag.CommandLine.Changed
	if err := p.start(ctx, peers); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (p *plan) start(ctx context.Context, peers []string) (err error) {
	if p.peers, err = p.parsePeers(peers, os.Getenv(peersVariable)); err != nil {
		return err
	}
	if len(p.mixes) == 0 && slices.ContainsFunc(p.peers, func(peer program) bool { return strings.HasPrefix(peer.name, postgrestName) }) {
		p.mixes = []string{tableGroup}
	}
	if !p.profile {
		p.peers = append(p.peers, p.withProcs()...)
	}
	if err := p.check(); err != nil {
		return err
	}
	return p.run(ctx, os.Stdout)
}

func (p *plan) run(ctx context.Context, w io.Writer) (err error) {
	list, err := mixes(p.mixes)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return err
	}
	k, err := newKeys()
	if err != nil {
		return err
	}
	pool := 0
	for i := range list {
		mine := p.of(&list[i])
		if err := mine.check(); err != nil {
			return fmt.Errorf("%s: %w", list[i].name, err)
		}
		pool = max(pool, slices.Max(mine.pools))
	}
	m, err := startDatabase(ctx, 100+(1+len(p.peers))*pool, p.wantTCP(), p.durable)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			for _, program := range p.programs() {
				copyLog(m.dir, program.name, os.Stderr)
			}
		}
		err = errors.Join(err, m.stop())
	}()
	if p.profile {
		return p.runProfile(ctx, m, list, k, w)
	}
	b := &bench{plan: p, machine: m, keys: k, pgbench: pgbenchProgram(m.database.Programs)}
	r, err := b.measure(ctx, list, w)
	if err != nil {
		return err
	}
	r.Command = command(os.Args[1:])
	r.print(w)
	return r.save(p.out, w)
}

// save writes result.json, a dated copy of it, and the pictures.
func (r *report) save(dir string, w io.Writer) error {
	type file struct {
		name  string
		write func(io.Writer) error
	}
	files := []file{{"result.json", r.json}, {r.Time.Format("20060102-150405") + ".json", r.json}}
	if len(r.Peers) > 0 {
		files = append(files, file{"table.md", func(w io.Writer) error { _, err := io.WriteString(w, r.markdown()); return err }})
	}
	for _, p := range pictures {
		if slices.ContainsFunc(r.Sections, p.has) {
			files = append(files, file{p.name, func(w io.Writer) error { return r.svg(p, w) }})
		}
	}
	var written []string
	for _, file := range files {
		path := filepath.Join(dir, file.name)
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := errors.Join(file.write(f), f.Close()); err != nil {
			return err
		}
		written = append(written, path)
	}
	_, err := fmt.Fprintln(w, "\nWritten: "+strings.Join(written, ", "))
	return err
}
