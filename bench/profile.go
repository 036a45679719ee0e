package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/bench/load"
)

// runProfile puts load on a server that runs in this program, one mix after the other.
func (p *plan) runProfile(ctx context.Context, m *machine, list []mix, k *keys, w io.Writer) error {
	for _, x := range list {
		if err := x.keyed(k); err != nil {
			return err
		}
		for _, who := range x.askers {
			if err := p.profileOne(ctx, m, &x, who, k, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *plan) profileOne(ctx context.Context, m *machine, x *mix, who asker, k *keys, w io.Writer) error {
	name := x.name
	if who.name != "" {
		name += "-" + strings.NewReplacer(" ", "-", ",", "").Replace(who.name)
	}
	prefix, err := filepath.Abs(filepath.Join(p.out, name))
	if err != nil {
		return err
	}
	if err := errors.Join(m.setup(ctx, x), m.resetData(ctx, x)); err != nil {
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
	server, err := m.startServer(ctx, self, v, slices.Concat(x.env, p.env), p.pools[0])
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, x.target(server.addr, who, k), p.connections[0], p.duration())
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %.0f requests/s while profiled\n", name, r.PerSecond())
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
	for _, kind := range []string{"heap", "mutex", "block"} {
		err = errors.Join(err, writeProfile(kind, prefix+"."+kind+".pprof"))
	}
	return err
}

func writeProfile(kind, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup(kind).WriteTo(file, 0), file.Close())
}
