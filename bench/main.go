package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// plan is what the flags ask for.
type plan struct {
	server      string
	peers       []program
	env         []string
	mixes       []string
	connections int
	pool        int
	seconds     float64
	rounds      int
	others      float64
	floorOnly   bool
	profile     bool
	out         string
}

func (p *plan) duration() time.Duration { return time.Duration(p.seconds * float64(time.Second)) }

// programs are all we start or ask, the one that the run is about first.
func (p *plan) programs() []program {
	return append([]program{{name: string(byServer), args: []string{p.server}}}, p.peers...)
}

func main() {
	beChild()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var (
		p     plan
		peers []string
	)
	pflag.StringVar(&p.server, "server", "./fastgrest", "the program to measure; it is configured by PGRST_ variables")
	pflag.StringArrayVar(&peers, "peer", nil, "another server, measured in the same rounds: classic, the baseline; NAME=COMMAND, which is configured like --server; or NAME=http://127.0.0.1:PORT, which is there already, perhaps with ,pid=PID; may be repeated; $"+peersVariable+" holds more, with ; between them")
	pflag.StringArrayVar(&p.env, "env", nil, "NAME=value for all programs started, may be repeated")
	pflag.StringSliceVar(&p.mixes, "mix", nil, "mixes to run, or all (default "+strings.Join(usualMixes, ", ")+")")
	pflag.IntVar(&p.connections, "connections", 64, "HTTP connections, each a closed loop")
	pflag.IntVar(&p.pool, "pool", 10, "connections to PostgreSQL, of the server and of the floors")
	pflag.Float64Var(&p.seconds, "seconds", 4, "length of one measurement")
	pflag.IntVar(&p.rounds, "rounds", 3, "measurements of each kind; they alternate, and medians are shown")
	pflag.Float64Var(&p.others, "others", 100, "percent of the machine that other programs may take; while they take more, up to three times as many rounds are measured, and the quietest count")
	pflag.BoolVar(&p.floorOnly, "floor", false, "measure the database alone, without any server")
	pflag.BoolVar(&p.profile, "profile", false, "take CPU and heap profiles of this build's server instead")
	pflag.StringVar(&p.out, "out", "bench/out", "folder for results")
	pflag.Parse()
	if err := p.start(ctx, peers); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (p *plan) start(ctx context.Context, peers []string) (err error) {
	if p.peers, err = parsePeers(peers, os.Getenv(peersVariable)); err != nil {
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
	m, err := startDatabase(ctx, 100+(1+len(p.peers))*p.pool)
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
	r.print(w)
	return r.save(p.out, w)
}

// save writes result.json and result.svg, and keeps a dated copy of the figures.
func (r *report) save(dir string, w io.Writer) error {
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"result.json", r.json},
		{r.Time.Format("20060102-150405") + ".json", r.json},
		{"result.svg", r.svg},
	} {
		f, err := os.Create(filepath.Join(dir, file.name))
		if err != nil {
			return err
		}
		if err := errors.Join(file.write(f), f.Close()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nWritten: %s and %s\n", filepath.Join(dir, "result.json"), filepath.Join(dir, "result.svg"))
	return err
}
