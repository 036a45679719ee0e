package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/bench/load"
)

// plan is what the flags ask for.
type plan struct {
	server      string
	env         []string
	mixes       []string
	connections int
	pool        int
	seconds     float64
	rounds      int
	floorOnly   bool
	profile     bool
	out         string
}

func (p *plan) duration() time.Duration { return time.Duration(p.seconds * float64(time.Second)) }

func main() {
	if os.Getenv(childMark) != "" {
		os.Exit(serveProfiled())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p plan
	pflag.StringVar(&p.server, "server", "./fastgrest", "the program to measure; it is configured by PGRST_ variables")
	pflag.StringArrayVar(&p.env, "env", nil, "NAME=value for the program, may be repeated")
	pflag.StringSliceVar(&p.mixes, "mix", nil, "mixes to run (default all: row, page, bulk)")
	pflag.IntVar(&p.connections, "connections", 64, "HTTP connections, each a closed loop")
	pflag.IntVar(&p.pool, "pool", 10, "connections to PostgreSQL, of the server and of the floors")
	pflag.Float64Var(&p.seconds, "seconds", 4, "length of one measurement")
	pflag.IntVar(&p.rounds, "rounds", 3, "measurements of each kind; they alternate, and medians are shown")
	pflag.BoolVar(&p.floorOnly, "floor", false, "measure the database alone, without any server")
	pflag.BoolVar(&p.profile, "profile", false, "take CPU and heap profiles of this build's server instead")
	pflag.StringVar(&p.out, "out", "bench/out", "folder for results")
	pflag.Parse()
	if err := p.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (p *plan) run(ctx context.Context, w io.Writer) (err error) {
	list, err := mixes(p.mixes)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return err
	}
	m, err := startDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			m.copyLog(os.Stderr)
		}
		err = errors.Join(err, m.stop())
	}()
	if p.profile {
		return p.runProfile(ctx, m, list, w)
	}
	b := &bench{plan: p, machine: m, pgbench: pgbenchProgram(m.database.Programs)}
	if !p.floorOnly {
		if err := m.startServer(ctx, p.server, nil, p.env, p.pool); err != nil {
			return err
		}
	}
	r, err := b.measure(ctx, list, w)
	if err != nil {
		return err
	}
	r.print(w)
	return r.save(p.out, w)
}

// bench is a run of measurements.
type bench struct {
	*plan
	machine *machine
	pgbench string
}

// measure alternates between the subjects, so that a noisy minute on the machine hits all of them.
func (b *bench) measure(ctx context.Context, list []mix, w io.Writer) (*report, error) {
	r := &report{Time: time.Now(), Program: b.programName(), Postgres: b.machine.database.Programs.Major, CPUs: runtime.NumCPU(),
		Connections: b.connections, Pool: b.pool, Seconds: b.seconds}
	for _, x := range list {
		s := section{Mix: x.name, About: x.about}
		flight := fallback(x)
		if b.machine.server != nil {
			var err error
			if flight, err = capture(ctx, b.machine, x); err != nil {
				return nil, err
			}
			fmt.Fprintf(w, "%s: the server sends\n", x.name)
			for _, st := range flight {
				fmt.Fprintf(w, "    %s\n", st.sql)
			}
		}
		for range b.rounds {
			for _, kind := range b.subjects(flight, x) {
				f, err := b.once(ctx, kind.server, kind.run)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", x.name, kind.who, err)
				}
				s.add(kind.who, f)
			}
		}
		r.Sections = append(r.Sections, s)
	}
	return r, nil
}

// contender is one way to get a mix's rows.
type contender struct {
	who    subject
	server bool // counts the server's CPU
	run    func(context.Context, time.Duration) (load.Result, error)
}

func (b *bench) subjects(flight []statement, x mix) []contender {
	uri := b.machine.database.URI(database, "authenticator")
	floor := func(flight []statement, format int16) func(context.Context, time.Duration) (load.Result, error) {
		return func(ctx context.Context, d time.Duration) (load.Result, error) {
			return runFloor(ctx, uri, flight, format, x, b.pool, d)
		}
	}
	var list []contender
	if b.machine.server != nil {
		target := load.Target{Addr: b.machine.addr, Path: x.path, Low: x.low, High: x.high}
		list = append(list, contender{byServer, true, func(ctx context.Context, d time.Duration) (load.Result, error) {
			return load.Run(ctx, target, b.connections, d)
		}})
	}
	list = append(list,
		contender{byWire, false, floor(flight, binaryFormat)},
		contender{byJSON, false, floor(asJSON(flight, x), textFormat)})
	if b.pgbench != "" {
		list = append(list, contender{byPgbench, false, func(ctx context.Context, d time.Duration) (load.Result, error) {
			return runPgbench(ctx, b.pgbench, b.machine, flight, x, b.pool, d)
		}})
	}
	return list
}

// once warms up for a moment, then measures with the CPU clocks read before and after.
func (b *bench) once(ctx context.Context, server bool, run func(context.Context, time.Duration) (load.Result, error)) (figures, error) {
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	if _, err := run(ctx, min(time.Second, b.duration()/4)); err != nil {
		return figures{}, err
	}
	before, err := b.clocks()
	if err != nil {
		return figures{}, err
	}
	result, err := run(ctx, b.duration())
	if err != nil {
		return figures{}, err
	}
	after, err := b.clocks()
	if err != nil {
		return figures{}, err
	}
	if result.Requests == 0 {
		return figures{}, errors.New("not one request was answered")
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(result.Requests) }
	f := figures{PerSecond: result.PerSecond(), P50: result.P50.Seconds() * 1e3, P99: result.P99.Seconds() * 1e3,
		DatabaseCPU: each(after.database - before.database), Requests: result.Requests}
	if server {
		f.ServerCPU = each(after.server - before.server)
		held, err := memory(b.machine.server.Process.Pid)
		if err != nil {
			return figures{}, err
		}
		f.ServerRSS = float64(held) / (1 << 20)
	}
	return f, nil
}

type clocks struct{ server, database time.Duration }

func (b *bench) clocks() (c clocks, err error) {
	if c.database, err = cpu(b.machine.database.PID()); err != nil {
		return c, err
	}
	if b.machine.server != nil {
		c.server, err = cpu(b.machine.server.Process.Pid)
	}
	return c, err
}

func (b *bench) programName() string {
	if b.machine.server == nil {
		return "no server"
	}
	out, err := exec.Command(b.server, "--version").Output()
	if err != nil {
		return filepath.Base(b.server)
	}
	return strings.TrimSpace(string(out))
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
