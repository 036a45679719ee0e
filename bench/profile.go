package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/bench/load"
)

// runProfile puts load on a server that runs in this program, one mix after the other.
func (p *plan) runProfile(ctx context.Context, m *machine, list []mix, k *keys, w io.Writer) error {
	for _, x := range list {
		if err := x.keyed(k); err != nil {
			return err
		}
		if err := m.setup(ctx, &x); err != nil {
			return err
		}
		mine := p.of(&x)
		if len(mine.connections) == 0 {
			return fmt.Errorf("%s: profiles are taken under a closed loop: give --connections", x.name)
		}
		for _, who := range x.askers {
			if len(p.procs) == 0 {
				if err := mine.profileOne(ctx, m, &x, who, 0, k, w); err != nil {
					return err
				}
			}
			for _, n := range p.procs {
				if err := mine.profileOne(ctx, m, &x, who, n, k, w); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// profileOne profiles one asker of a mix. procs is GOMAXPROCS; 0 leaves it to Go.
func (p *plan) profileOne(ctx context.Context, m *machine, x *mix, who asker, procs int, k *keys, w io.Writer) error {
	name := x.name
	if who.name != "" {
		name += "-" + strings.NewReplacer(" ", "-", ",", "").Replace(who.name)
	}
	env := slices.Concat(x.env, p.env)
	if procs > 0 {
		name += fmt.Sprintf("-procs-%d", procs)
		env = append(env, procsEnv(procs))
	}
	prefix, err := filepath.Abs(filepath.Join(p.out, name))
	if err != nil {
		return err
	}
	if err := m.resetData(ctx, x); err != nil {
		return err
	}
	self, err := ourselves(string(byServer), "profiled:"+prefix)
	if err != nil {
		return err
	}
	v, err := m.way(ctx, p.delays[0])
	if err != nil {
		return err
	}
	server, err := m.startServer(ctx, self, v, env, p.pools[0])
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, x.target(server.addr, who, k), p.connections[0], p.duration())
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	waited, err := os.ReadFile(prefix + waitsSuffix)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(waited), 64)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %.0f requests/s while profiled, %.2f µs of waiting for locks per request\n", name, r.PerSecond(), seconds*1e6/float64(r.Requests))
	for _, options := range []string{"%s.cpu.pprof", "-sample_index=alloc_space %s.heap.pprof", "%s.mutex.pprof", "%s.block.pprof"} {
		fmt.Fprintf(w, "    go tool pprof -top "+options+"\n", prefix)
	}
	return nil
}

// Sampling rates: one of mutexFraction mutex contention events, and one blocking event per blockRate nanoseconds
// of waiting. Higher rates would change the CPU profile.
const (
	mutexFraction = 20
	blockRate     = 1_000_000 // ns
)

// profiled runs the server under test and writes profiles to prefix plus the kind of profile.
func profiled(prefix string, run func() error) error {
	file, err := os.Create(prefix + ".cpu.pprof")
	if err != nil {
		return err
	}
	defer file.Close()
	runtime.MemProfileRate = 64 << 10
	runtime.SetMutexProfileFraction(mutexFraction)
	runtime.SetBlockProfileRate(blockRate)
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	err = run()
	pprof.StopCPUProfile()
	err = errors.Join(err, writeWaits(prefix+waitsSuffix))
	for _, kind := range []string{"heap", "mutex", "block"} {
		err = errors.Join(err, writeProfile(kind, prefix+"."+kind+".pprof"))
	}
	return err
}

// waitsSuffix is the end of the name of the file with the time in seconds that goroutines waited for locks.
const waitsSuffix = ".waits"

// writeWaits writes that time since the start of the program. Go estimates it for locks of the program and of the
// runtime.
func writeWaits(path string) error {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return os.WriteFile(path, strconv.AppendFloat(nil, sample[0].Value.Float64(), 'g', -1, 64), 0o644)
}

func writeProfile(kind, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(kind).WriteTo(file, 0), file.Close())
}
