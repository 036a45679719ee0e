package life

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// fakeWorld is a world with a version, which is what reading it returns.
type fakeWorld struct {
	mu         sync.Mutex
	version    int
	config     time.Duration // how long reading a configuration takes
	catalog    time.Duration // how long reading a catalog takes
	connect    time.Duration // how long it takes until the configuration is read before the catalog
	install    time.Duration // how long it takes to put a configuration in force
	changed    bool          // what installing a configuration says
	incomplete bool
	outcome    func() Outcome // of loading a catalog
	numbers    uint64
	events     []string

	configInForce, catalogInForce int // versions
}

func (w *fakeWorld) say(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

// told returns the events since the last call.
func (w *fakeWorld) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := strings.Join(w.events, ", ")
	w.events = nil
	return said
}

func (w *fakeWorld) change() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version++
}

type fakeConfig struct {
	world   *fakeWorld
	version int
	number  uint64
}

func (c *fakeConfig) Number() uint64 { return c.number }

func (c *fakeConfig) Install() (changed, complete bool) {
	time.Sleep(c.world.install)
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.world.configInForce = c.version
	return c.world.changed, !c.world.incomplete
}

func (w *fakeWorld) read() *fakeConfig {
	w.numbers++
	return &fakeConfig{w, w.version, w.numbers}
}

func (w *fakeWorld) ReadConfig(ctx context.Context) Config {
	w.mu.Lock()
	c, took := w.read(), w.config
	w.say("config")
	w.mu.Unlock()
	pass(ctx, took)
	return c
}

func (w *fakeWorld) ReadCatalog(ctx context.Context, fresh bool, inForce func(Config)) Catalog {
	pass(ctx, w.connect)
	w.mu.Lock()
	version, took := w.version, w.catalog
	if fresh {
		w.say("catalog")
		w.mu.Unlock()
	} else {
		w.say("config and catalog")
		c := w.read()
		w.mu.Unlock()
		inForce(c)
		w.mu.Lock()
		if ctx.Err() == nil && w.configInForce != c.version {
			w.say("configuration %d is in force, not %d", w.configInForce, c.version)
		}
		w.mu.Unlock()
	}
	pass(ctx, took)
	return &fakeCatalog{w, version}
}

type fakeCatalog struct {
	world   *fakeWorld
	version int
}

func (c *fakeCatalog) Install() Outcome {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	outcome := c.world.outcome()
	if outcome <= Outdated {
		c.world.catalogInForce = c.version
	}
	return outcome
}

func (w *fakeWorld) Retrying(pause time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say("retry in %v", pause)
}

func pass(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// fakeListener is first tried after a time.
type fakeListener struct {
	world *fakeWorld
	takes time.Duration
}

func (l *fakeListener) Start(context.Context) <-chan struct{} {
	tried := make(chan struct{})
	time.AfterFunc(l.takes, func() { close(tried) })
	return tried
}

func (l *fakeListener) Follow(context.Context) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.say("follow")
}

func (l *fakeListener) Restart(context.Context) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.say("listen")
}

func (l *fakeListener) Stop() {}

const always = time.Hour // longer than a test looks

func loadedAlways() Outcome { return Loaded }

// startLoop starts a loop in a bubble. stop ends it and waits for that.
func startLoop(w *fakeWorld, listener time.Duration) (l *Loop, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	l = New()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx, w, &fakeListener{w, listener})
	}()
	synctest.Wait()
	return l, func() { cancel(); <-ended }
}
