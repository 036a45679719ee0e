package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/fastgrest/fastgrest/bench/load"
)

// bench is a series of measurements.
type bench struct {
	*plan
	machine *machine
	keys    *keys
	pgbench string
}

// setting holds the parameters of one measurement of a mix. Each setting has
// its own servers.
type setting struct {
	pool  int
	delay time.Duration
	way   *way
	first bool // of a mix
}

func (b *bench) measure(ctx context.Context, list []mix, w io.Writer) (*report, error) {
	r := &report{Time: time.Now(), Program: b.programName(ctx), Peers: b.peerNames(ctx), Postgres: b.machine.database.Programs.Major,
		PostgresVersion: b.machine.version(ctx), CPUs: runtime.NumCPU(), Seconds: b.seconds, Rounds: b.rounds}
	b.announce()
	for _, x := range list {
		sections, err := b.measureMix(ctx, &x, w)
		if err != nil {
			return nil, err
		}
		r.Sections = append(r.Sections, sections...)
	}
	return r, nil
}

func (b *bench) measureMix(ctx context.Context, x *mix, w io.Writer) (list []section, err error) {
	if err := x.keyed(b.keys); err != nil {
		return nil, err
	}
	mine := *b
	mine.plan = b.of(x)
	b = &mine
	if b.floorOnly && (x.sql == "" || len(x.floors) == 0) {
		fmt.Fprintf(w, "%s: left out, because its statements come from the server\n", x.name)
		return nil, nil
	}
	if err := b.machine.setup(ctx, x); err != nil {
		return nil, err
	}
	flight := fallback(x)
	for _, delay := range b.delays {
		for _, pool := range b.pools {
			at := setting{pool: pool, delay: delay, first: len(list) == 0}
			if at.way, err = b.machine.way(ctx, delay); err != nil {
				return nil, err
			}
			var sections []section
			if sections, flight, err = b.measureAt(ctx, x, at, flight, w); err != nil {
				return nil, err
			}
			list = append(list, sections...)
		}
	}
	return list, nil
}

// measureAt measures a mix in one setting. It starts new servers, so that their memory belongs to this
// measurement. It returns the statements that it captured, for later settings.
func (b *bench) measureAt(ctx context.Context, x *mix, at setting, known []statement, w io.Writer) (list []section, flight []statement, err error) {
	if err := b.machine.resetData(ctx, x); err != nil {
		return nil, nil, err
	}
	section := func(connections, rate int) section {
		return section{Mix: x.name, About: x.about, Pool: at.pool, Delay: at.delay.Seconds() * 1e3, Connections: connections, Rate: rate}
	}
	if b.floorOnly {
		s := section(0, 0)
		err := b.alternate(ctx, x, b.floors(known, x, at), &s)
		return append(list, s), known, err
	}
	servers, flight, notes, err := b.startAll(ctx, x, at, known, w)
	defer func() {
		for _, in := range servers {
			err = errors.Join(err, in.stop())
		}
	}()
	if err != nil {
		return nil, nil, err
	}
	for i, connections := range b.connections {
		s := section(connections, 0)
		contenders := b.closedLoops(servers, x, connections)
		if i == 0 { // HTTP connections do not affect the floors
			contenders = append(contenders, b.floors(flight, x, at)...)
		}
		if err := b.alternate(ctx, x, contenders, &s); err != nil {
			return nil, nil, err
		}
		list = append(list, s)
	}
	for _, rate := range b.rates {
		s := section(openConnections, rate)
		if err := b.alternate(ctx, x, b.openLoops(servers, x, rate), &s); err != nil {
			return nil, nil, err
		}
		list = append(list, s)
	}
	cache, err := servers[0].tokenCache()
	if err != nil {
		return nil, nil, err
	}
	if cache != "" {
		notes = append(notes, cache)
	}
	list[0].Notes = notes
	for i := range list {
		list[i].judge(x.bars)
	}
	return list, flight, nil
}

// startAll starts the server and its peers, sends a request to each, and prints the statements that the server
// sends.
func (b *bench) startAll(ctx context.Context, x *mix, at setting, known []statement, w io.Writer) (list []*instance, flight []statement, notes []string, err error) {
	server, err := b.machine.startServer(ctx, b.programs()[0], at.way, slices.Concat(x.env, b.env), at.pool)
	if err != nil {
		return nil, nil, nil, err
	}
	list = []*instance{server}
	flight, answers, err := b.probe(ctx, x, server, at, known, w)
	if err != nil {
		return list, nil, nil, err
	}
	peers, notes, err := b.startPeers(ctx, x, at, answers)
	return append(list, peers...), flight, notes, err
}

// probe sends a request for each asker. The first time it captures the statements of the first asker's request and
// checks that the floor returns the same body.
func (b *bench) probe(ctx context.Context, x *mix, server *instance, at setting, known []statement, w io.Writer) (flight []statement, answers [][]byte, err error) {
	flight = known
	for i, who := range x.askers {
		target := x.target(server.addr, who, b.keys)
		var answer []byte
		if i == 0 && at.first && x.kinds == nil { // several kinds have no floor
			if flight, answer, err = capture(ctx, b.machine, x, target); err != nil {
				return nil, nil, err
			}
			fmt.Fprintf(w, "%s: the server sends\n", x.name)
			for _, st := range flight {
				fmt.Fprintf(w, "    %s\n", st.sql)
			}
			if slices.Contains(x.floors, byJSON) {
				if err := checkJSON(ctx, at.way.uri("authenticator"), flight, x, answer); err != nil {
					return nil, nil, err
				}
			}
		} else if answer, err = settle(ctx, x, target); err != nil {
			return nil, nil, fmt.Errorf("%s, %s: %w", x.name, who.name, err)
		}
		answers = append(answers, answer)
	}
	return flight, answers, nil
}

// alternate measures the subjects in turns, so that a noisy minute of the machine affects all of them. Each round
// starts with another subject, so that none always follows the same one. While other programs take more CPU than
// allowed, it adds rounds, up to three times as many, and keeps the quietest.
func (b *bench) alternate(ctx context.Context, x *mix, list []contender, s *section) error {
	var (
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
			s.add(list[i].who, list[i].program(), f)
		}
	}
	return nil
}

// noise returns the largest share of the machine that other programs took
// during a round.
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
	server *instance   // nil for the database alone
	target load.Target // of a server
	idle   int         // number of idle connections
	run    func(context.Context, time.Duration) (load.Result, error)
}

func (c contender) program() string {
	if c.server == nil {
		return ""
	}
	return c.server.name
}

// closedLoops returns the contenders for closed loops over a number of
// connections.
func (b *bench) closedLoops(servers []*instance, x *mix, connections int) []contender {
	return b.askers(servers, x, func(ctx context.Context, t load.Target, d time.Duration) (load.Result, error) {
		return load.Run(ctx, t, connections, d)
	})
}

// openLoops returns the contenders for open loops at a constant rate.
func (b *bench) openLoops(servers []*instance, x *mix, rate int) []contender {
	return b.askers(servers, x, func(ctx context.Context, t load.Target, d time.Duration) (load.Result, error) {
		return load.RunOpen(ctx, t, rate, openConnections, d)
	})
}

func (b *bench) askers(servers []*instance, x *mix, run func(context.Context, load.Target, time.Duration) (load.Result, error)) (list []contender) {
	for _, in := range servers {
		for _, who := range x.askers {
			target := x.target(in.addr, who, b.keys)
			list = append(list, contender{in.subject(who), in, target, x.idle, func(ctx context.Context, d time.Duration) (load.Result, error) {
				return run(ctx, target, d)
			}})
		}
	}
	return list
}

// floors returns the contenders that use the database alone.
func (b *bench) floors(flight []statement, x *mix, at setting) (list []contender) {
	uri := at.way.uri("authenticator")
	floor := func(flight []statement, format int16) func(context.Context, time.Duration) (load.Result, error) {
		return func(ctx context.Context, d time.Duration) (load.Result, error) {
			return runFloor(ctx, uri, flight, format, x, at.pool, d)
		}
	}
	for _, who := range x.floors {
		switch {
		case who == byWire:
			list = append(list, contender{who: who, run: floor(flight, binaryFormat)})
		case who == byJSON:
			list = append(list, contender{who: who, run: floor(asJSON(flight, x), textFormat)})
		case who == byPgbench && b.pgbench != "":
			list = append(list, contender{who: who, run: func(ctx context.Context, d time.Duration) (load.Result, error) {
				return runPgbench(ctx, b.pgbench, b.machine, at.way, flight, x, at.pool, d)
			}})
		}
	}
	return list
}

// once warms up for a moment, then measures. It reads the CPU clocks before and after.
func (b *bench) once(ctx context.Context, c contender, duration time.Duration) (f figures, err error) {
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	if c.idle > 0 && c.server != nil {
		held, err := load.Hold(ctx, c.target, c.idle)
		if err != nil {
			return figures{}, err
		}
		defer held.Close()
		defer func() {
			if open := held.Open(); err == nil && open < c.idle {
				err = fmt.Errorf("of %d idle connections only %d stayed open", c.idle, open)
			}
		}()
	}
	if _, err := c.run(ctx, min(time.Second, duration/4)); err != nil {
		return figures{}, err
	}
	before, err := b.clocks(c.server)
	if err != nil {
		return figures{}, err
	}
	result, err := c.run(ctx, duration)
	if err != nil {
		return figures{}, err
	}
	after, err := b.clocks(c.server)
	if err != nil {
		return figures{}, err
	}
	if result.Requests == 0 {
		return figures{}, errors.New("no request succeeded")
	}
	ours := (after.server - before.server) + (after.database - before.database) + (after.own - before.own)
	others := float64(after.machine-before.machine-ours) / float64(time.Duration(runtime.NumCPU())*after.time.Sub(before.time))
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(result.Requests) }
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	f = figures{PerSecond: result.PerSecond(), P50: ms(result.P50), P90: ms(result.P90), P99: ms(result.P99), P999: ms(result.P999), Max: ms(result.Max),
		DatabaseCPU: each(after.database - before.database), Requests: result.Requests, Others: max(0, 100*others),
		Failed: 100 * float64(result.Failed) / float64(result.Requests+result.Failed)}
	for _, k := range result.Kinds {
		f.Kinds = append(f.Kinds, kindFigures{Name: k.Name, PerSecond: k.PerSecond(), P50: ms(k.P50), P99: ms(k.P99), P999: ms(k.P999)})
	}
	if c.server != nil && c.server.pid != 0 {
		f.ServerCPU = each(after.server - before.server)
		held, err := memory(c.server.pid)
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

func (b *bench) clocks(in *instance) (c clocks, err error) {
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
	if in != nil {
		c.server, err = in.used()
	}
	return c, err
}

func (b *bench) programName(ctx context.Context) string {
	if b.floorOnly {
		return "no server"
	}
	return b.programs()[0].version(ctx)
}

// peerNames returns the versions of the peers.
func (b *bench) peerNames(ctx context.Context) (list []string) {
	for _, p := range b.peers {
		list = append(list, p.name+": "+p.version(ctx))
	}
	return list
}
