package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/bench/load"
)

// bench is a run of measurements.
type bench struct {
	*plan
	machine *machine
	keys    *keys
	pgbench string
}

func (b *bench) measure(ctx context.Context, list []mix, w io.Writer) (*report, error) {
	r := &report{Time: time.Now(), Program: b.programName(), Postgres: b.machine.database.Programs.Major, CPUs: runtime.NumCPU(),
		Connections: b.connections, Pool: b.pool, Seconds: b.seconds}
	for _, x := range list {
		s, err := b.measureMix(ctx, &x, w)
		if err != nil {
			return nil, err
		}
		if len(s.Rows) > 0 {
			r.Sections = append(r.Sections, s)
		}
	}
	return r, nil
}

// measureMix has a server of its own, so that what it holds is what this mix made it hold.
func (b *bench) measureMix(ctx context.Context, x *mix, w io.Writer) (s section, err error) {
	s = section{Mix: x.name, About: x.about}
	if err := x.keyed(b.keys); err != nil {
		return s, err
	}
	if err := b.machine.resetData(ctx, x); err != nil {
		return s, err
	}
	flight := fallback(x)
	if b.floorOnly {
		if x.sql == "" || len(x.floors) == 0 {
			fmt.Fprintf(w, "%s: left out, its statements are the server's\n", x.name)
			return s, nil
		}
	} else {
		if err := b.machine.startServer(ctx, b.server, nil, slices.Concat(x.env, b.env), b.pool); err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, b.machine.stopServer()) }()
		if flight, err = b.probe(ctx, x, w); err != nil {
			return s, err
		}
	}
	if err := b.alternate(ctx, x, flight, &s); err != nil {
		return s, err
	}
	if !b.floorOnly {
		note, err := b.machine.tokenCache()
		if err != nil {
			return s, err
		}
		if note != "" {
			s.Notes = append(s.Notes, note)
		}
	}
	s.judge(x.bars)
	return s, nil
}

// probe asks once, says what the server sends for it, and checks that the floor does the same.
func (b *bench) probe(ctx context.Context, x *mix, w io.Writer) ([]statement, error) {
	flight, answer, err := capture(ctx, b.machine, x, x.target(b.machine.addr, x.askers[0], b.keys))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "%s: the server sends\n", x.name)
	for _, st := range flight {
		fmt.Fprintf(w, "    %s\n", st.sql)
	}
	if slices.Contains(x.floors, byJSON) {
		if err := checkJSON(ctx, b.machine.database.URI(database, "authenticator"), flight, x, answer); err != nil {
			return nil, err
		}
	}
	return flight, nil
}

// alternate takes turns between the subjects, so that a noisy minute on the machine hits all of them, and
// begins with another one each time, so that none always comes after the same. While other programs take
// more of the machine than allowed it goes on, up to three times as long; the quietest rounds count.
func (b *bench) alternate(ctx context.Context, x *mix, flight []statement, s *section) error {
	var (
		list   = b.subjects(flight, x)
		want   = b.rounds * x.pieces
		rounds [][]figures
	)
	for quiet := 0; quiet < want && len(rounds) < 3*want; {
		measured, err := b.round(ctx, x, list, len(rounds))
		if err != nil {
			return err
		}
		if noise(measured) <= b.others {
			quiet++
		}
		rounds = append(rounds, measured)
	}
	slices.SortStableFunc(rounds, func(a, b []figures) int { return cmp.Compare(noise(a), noise(b)) })
	for _, measured := range rounds[:want] {
		for i, f := range measured {
			s.add(list[i].who, f)
		}
	}
	return nil
}

// noise is the most that other programs took during a round.
func noise(round []figures) float64 {
	return slices.MaxFunc(round, func(a, b figures) int { return cmp.Compare(a.Others, b.Others) }).Others
}

func (b *bench) round(ctx context.Context, x *mix, list []contender, first int) ([]figures, error) {
	measured := make([]figures, len(list))
	for i := range list {
		at := (first + i) % len(list)
		if err := b.machine.resetData(ctx, x); err != nil {
			return nil, err
		}
		var err error
		if measured[at], err = b.once(ctx, list[at], b.duration()/time.Duration(x.pieces)); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", x.name, list[at].who, err)
		}
	}
	return measured, nil
}

// contender is one way to get a mix's rows.
type contender struct {
	who    subject
	server bool // counts the server's CPU
	run    func(context.Context, time.Duration) (load.Result, error)
}

func (b *bench) subjects(flight []statement, x *mix) []contender {
	uri := b.machine.database.URI(database, "authenticator")
	floor := func(flight []statement, format int16) func(context.Context, time.Duration) (load.Result, error) {
		return func(ctx context.Context, d time.Duration) (load.Result, error) {
			return runFloor(ctx, uri, flight, format, x, b.pool, d)
		}
	}
	var list []contender
	if !b.floorOnly {
		for _, who := range x.askers {
			target := x.target(b.machine.addr, who, b.keys)
			list = append(list, contender{who.subject(), true, func(ctx context.Context, d time.Duration) (load.Result, error) {
				return load.Run(ctx, target, b.connections, d)
			}})
		}
	}
	for _, who := range x.floors {
		switch {
		case who == byWire:
			list = append(list, contender{who, false, floor(flight, binaryFormat)})
		case who == byJSON:
			list = append(list, contender{who, false, floor(asJSON(flight, x), textFormat)})
		case who == byPgbench && b.pgbench != "":
			list = append(list, contender{who, false, func(ctx context.Context, d time.Duration) (load.Result, error) {
				return runPgbench(ctx, b.pgbench, b.machine, flight, x, b.pool, d)
			}})
		}
	}
	return list
}

// once warms up for a moment, then measures with the CPU clocks read before and after.
func (b *bench) once(ctx context.Context, c contender, duration time.Duration) (figures, error) {
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	if _, err := c.run(ctx, min(time.Second, duration/4)); err != nil {
		return figures{}, err
	}
	before, err := b.clocks()
	if err != nil {
		return figures{}, err
	}
	result, err := c.run(ctx, duration)
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
	ours := (after.server - before.server) + (after.database - before.database) + (after.own - before.own)
	others := float64(after.machine-before.machine-ours) / float64(time.Duration(runtime.NumCPU())*after.time.Sub(before.time))
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(result.Requests) }
	f := figures{PerSecond: result.PerSecond(), P50: result.P50.Seconds() * 1e3, P99: result.P99.Seconds() * 1e3,
		DatabaseCPU: each(after.database - before.database), Requests: result.Requests, Others: max(0, 100*others)}
	if c.server {
		f.ServerCPU = each(after.server - before.server)
		held, err := memory(b.machine.server.Process.Pid)
		if err != nil {
			return figures{}, err
		}
		f.ServerRSS = float64(held) / (1 << 20)
	}
	return f, nil
}

type clocks struct {
	server, database, own time.Duration
	machine               time.Duration
	time                  time.Time
}

func (b *bench) clocks() (c clocks, err error) {
	c.time = time.Now()
	if c.machine, err = busy(); err != nil {
		return c, err
	}
	if c.own, err = ownCPU(); err != nil {
		return c, err
	}
	if c.database, err = cpu(b.machine.database.PID()); err != nil {
		return c, err
	}
	if b.machine.server != nil {
		c.server, err = cpu(b.machine.server.Process.Pid)
	}
	return c, err
}

func (b *bench) programName() string {
	if b.floorOnly {
		return "no server"
	}
	out, err := exec.Command(b.server, "--version").Output()
	if err != nil {
		return filepath.Base(b.server)
	}
	return strings.TrimSpace(string(out))
}
