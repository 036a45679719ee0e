package life

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestWishes: every wish in every state. A wish is heard at once or after what
// is under way, and what was read since it is in force in the end.
func TestWishes(t *testing.T) {
	const configs, catalogs, both = "config", "config and catalog", "config, catalog"
	for _, test := range []struct {
		state    string
		listener time.Duration // until it is tried
		outcome  Outcome       // of loads before the wish
		catalog  time.Duration // how long loads take that begin before the wish
		wait     time.Duration // until the wish
		want     map[Wish]string
	}{
		{"starting", 1500 * time.Millisecond, Loaded, 0, time.Second, map[Wish]string{
			ReloadConfig: "config, config and catalog", ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"starting, and the listener is never tried", always, Loaded, 0, time.Second, map[Wish]string{
			ReloadConfig: "config, config and catalog", ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"loading", 0, Loaded, time.Second, time.Second / 2, map[Wish]string{
			ReloadConfig: configs, ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"loaded", 0, Loaded, 0, time.Second, map[Wish]string{
			ReloadConfig: configs, ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"failing", 0, Failed, time.Second, time.Second / 2, map[Wish]string{
			ReloadConfig: "config, retry in 1s, config and catalog", ReloadCatalog: "retry in 1s, " + catalogs,
			ReloadConfig | ReloadCatalog: "config, retry in 1s, catalog", Relisten: "listen, retry in 1s, " + catalogs,
		}},
		{"retrying", 0, Failed, 0, time.Second / 2, map[Wish]string{
			ReloadConfig: "config, config and catalog", ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"retrying, no database", 0, Unreachable, 0, time.Second / 2, map[Wish]string{
			ReloadConfig: "config, config and catalog", ReloadCatalog: catalogs, ReloadConfig | ReloadCatalog: both, Relisten: "listen, " + catalogs,
		}},
		{"stopping", 0, Ending, 0, time.Second, map[Wish]string{
			ReloadConfig: "", ReloadCatalog: "", ReloadConfig | ReloadCatalog: "", Relisten: "",
		}},
	} {
		for wish, want := range test.want {
			t.Run(fmt.Sprint(test.state, wish), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					outcome := test.outcome
					w := &fakeWorld{catalog: test.catalog, outcome: func() (now Outcome) {
						now = outcome
						if outcome != Ending {
							outcome = Loaded
						}
						return now
					}}
					l, stop := startLoop(w, test.listener)
					defer stop()
					time.Sleep(test.wait)
					synctest.Wait()
					w.told()
					w.change()
					l.Ask(wish)
					time.Sleep(time.Minute)
					synctest.Wait()
					if got := w.told(); got != want {
						t.Errorf("%s\nwant %s", got, want)
					}
					if test.outcome == Ending {
						return
					}
					if w.configInForce != 1 || wish != ReloadConfig && w.catalogInForce != 1 {
						t.Errorf("in force: configuration %d, catalog %d", w.configInForce, w.catalogInForce)
					}
					if l.Waiting() != 0 || !l.Loaded() || l.Pause() != 0 {
						t.Errorf("waiting %d, loaded %t, pause %v", l.Waiting(), l.Loaded(), l.Pause())
					}
				})
			})
		}
	}
}

// TestWishesWhileReading: wishes come while a configuration is being read. What
// they ask for waits for that, and is done once.
func TestWishesWhileReading(t *testing.T) {
	for _, test := range []struct {
		wish            Wish
		atOnce, at, end string
	}{
		{ReloadConfig, "", "config", ""},
		{ReloadCatalog, "", "config and catalog", ""},
		{ReloadConfig | ReloadCatalog, "", "config", "catalog"},
		{Relisten, "listen, listen, listen", "config and catalog", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWorld{outcome: loadedAlways}
			l, stop := startLoop(w, 0)
			defer stop()
			w.config = time.Second
			l.Ask(ReloadConfig)
			time.Sleep(time.Second / 2)
			w.told()
			w.change()
			for range 3 {
				l.Ask(test.wish)
				synctest.Wait()
			}
			for i, want := range []string{test.atOnce, test.at, test.end, ""} {
				if got := w.told(); got != want {
					t.Errorf("wish %d after %d s: %q, want %q", test.wish, i, got, want)
				}
				time.Sleep(time.Second)
				synctest.Wait()
			}
			if test.wish&ReloadConfig != 0 && w.configInForce != 1 || test.wish != ReloadConfig && w.catalogInForce != 1 {
				t.Errorf("wish %d: in force: configuration %d, catalog %d", test.wish, w.configInForce, w.catalogInForce)
			}
		})
	}
}

// TestConfigBeforeCatalog: a configuration that could not be read in full does
// not stand in for the one that loading the catalog reads.
func TestConfigBeforeCatalog(t *testing.T) {
	for incomplete, want := range map[bool]string{false: "config, catalog", true: "config, config and catalog"} {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWorld{outcome: loadedAlways}
			l, stop := startLoop(w, 0)
			defer stop()
			w.told()
			w.incomplete = incomplete
			l.Ask(ReloadConfig | ReloadCatalog)
			synctest.Wait()
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := w.told(); got != want {
				t.Errorf("incomplete %t: %s, want %s", incomplete, got, want)
			}
		})
	}
}

// TestConfigEndsPause: another configuration has the catalog loaded at once, if
// the load before failed. It has the listener follow.
func TestConfigEndsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWorld{outcome: func() Outcome { return Failed }}
		l, stop := startLoop(w, 0)
		defer stop()
		time.Sleep(20 * time.Second)
		if got, want := w.told(), "config and catalog, retry in 1s, config and catalog, retry in 2s, config and catalog, retry in 4s, config and catalog, retry in 8s, config and catalog, retry in 16s"; got != want || l.Pause() != 16*time.Second {
			t.Errorf("%s, pause %v", got, l.Pause())
		}
		w.mu.Lock()
		w.changed, w.outcome = true, loadedAlways
		w.mu.Unlock()
		l.Ask(ReloadConfig)
		synctest.Wait()
		if got, want := w.told(), "config, follow, catalog"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.told(); got != "" || l.Pause() != 0 {
			t.Errorf("afterwards: %s, pause %v", got, l.Pause())
		}
		w.mu.Lock()
		w.changed, w.outcome = false, func() Outcome { return Unreachable }
		w.mu.Unlock()
		l.Ask(ReloadCatalog)
		synctest.Wait()
		if got, want := w.told(), "config and catalog, retry in 1s"; got != want {
			t.Errorf("after a success: %s, want %s", got, want)
		}
	})
}

// TestOvertaken: a configuration that began to be read before the one in force
// is not put in force.
func TestOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWorld{connect: time.Second, config: 2 * time.Second, outcome: loadedAlways}
		l, stop := startLoop(w, 0)
		defer stop()
		l.Ask(ReloadConfig)
		synctest.Wait()
		w.change()
		for _, want := range []string{"config", "config and catalog", "", ""} {
			if got := w.told(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if w.configInForce != 1 {
			t.Errorf("configuration %d is in force", w.configInForce)
		}
	})
}

// TestConfigInForce: the catalog is not read before its configuration is in force.
func TestConfigInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWorld{version: 1, install: time.Second, outcome: loadedAlways}
		_, stop := startLoop(w, 0)
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := w.told(), "config and catalog"; got != want || w.configInForce != 1 {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestOutdated: a catalog that was read for another configuration is read again.
func TestOutdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes := []Outcome{Loaded, Outdated, Loaded}
		w := &fakeWorld{}
		w.outcome = func() (now Outcome) {
			now, outcomes = outcomes[0], outcomes[1:]
			return now
		}
		l, stop := startLoop(w, 0)
		defer stop()
		synctest.Wait()
		w.told()
		l.Ask(ReloadCatalog)
		synctest.Wait()
		if got, want := w.told(), "config and catalog, config and catalog"; got != want || !l.Loaded() {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestProgress: what other goroutines are told, and when.
func TestProgress(t *testing.T) {
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var outcome Outcome
		w := &fakeWorld{outcome: func() Outcome { return outcome }}
		outcome = Unreachable
		l, stop := startLoop(w, 0)
		defer stop()
		check := func(what string, tried, ready, loaded bool) {
			t.Helper()
			synctest.Wait()
			if closed(l.Tried()) != tried || closed(l.Ready()) != ready || l.Loaded() != loaded {
				t.Errorf("%s: tried %t, ready %t, loaded %t", what, closed(l.Tried()), closed(l.Ready()), l.Loaded())
			}
		}
		load := func(o Outcome) {
			w.mu.Lock()
			outcome = o
			w.mu.Unlock()
			l.Ask(ReloadCatalog)
		}
		check("no database", true, false, false)
		load(Loaded)
		check("loaded", true, true, true)
		load(Unreachable)
		check("the database is away", true, true, true)
		load(Failed)
		check("failed", true, true, false)
		load(Loaded)
		check("loaded again", true, true, true)
		load(Ending)
		check("the process ends", true, true, false)
	})
	synctest.Test(t, func(t *testing.T) {
		l, stop := startLoop(&fakeWorld{outcome: func() Outcome { return Ending }}, 0)
		defer stop()
		synctest.Wait()
		if closed(l.Tried()) || closed(l.Ready()) {
			t.Error("a process that ends opens its socket")
		}
	})
}

// TestLateListener: the first load does not wait longer for the listener.
func TestLateListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWorld{outcome: loadedAlways}
		_, stop := startLoop(w, 3*time.Second)
		defer stop()
		for second, want := range []string{"", "", "config and catalog", "", ""} {
			if got := w.told(); got != want {
				t.Errorf("after %d s: %q, want %q", second, got, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
	})
}

// TestWishesAtRandom: wishes come at any time, and what they ask for takes any
// time and may fail. In the end what is in force was read after the last wish.
func TestWishesAtRandom(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			random, loads := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
			some := func() time.Duration { return time.Duration(random.IntN(3000)) * time.Millisecond }
			outcomes := []Outcome{Loaded, Loaded, Outdated, Failed, Unreachable}
			w := &fakeWorld{outcome: func() Outcome { return outcomes[loads.IntN(len(outcomes))] }}
			l, stop := startLoop(w, some())
			defer stop()
			config, catalog := 0, 0 // the versions last asked for
			for range 30 {
				time.Sleep(some())
				w.mu.Lock()
				w.config, w.catalog, w.changed, w.incomplete = some(), some(), random.IntN(2) == 0, random.IntN(2) == 0
				w.version++
				wish := []Wish{ReloadConfig, ReloadCatalog, ReloadConfig | ReloadCatalog, Relisten}[random.IntN(4)]
				config = w.version // whatever loads the catalog reads the configuration
				if wish != ReloadConfig {
					catalog = w.version
				}
				w.mu.Unlock()
				l.Ask(wish)
			}
			w.mu.Lock()
			outcomes = []Outcome{Loaded}
			w.mu.Unlock()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if w.configInForce < config || w.catalogInForce < catalog || !l.Loaded() || l.Waiting() != 0 {
				t.Errorf("seed %d: in force: configuration %d, want %d; catalog %d, want %d; loaded %t", seed, w.configInForce, config, w.catalogInForce, catalog, l.Loaded())
			}
		})
	}
}

// TestEnd: the loop ends with its context, also while a read or a load is under way.
func TestEnd(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 2500 * time.Millisecond, 3500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWorld{config: time.Second, catalog: time.Second, outcome: func() Outcome { return Failed }}
			l, stop := startLoop(w, always)
			time.Sleep(after)
			l.Ask(ReloadConfig | ReloadCatalog)
			synctest.Wait()
			stop()
			synctest.Wait()
			w.told()
			l.Ask(ReloadConfig | ReloadCatalog)
			time.Sleep(time.Minute)
			if got := w.told(); got != "" {
				t.Errorf("after the end: %s", got)
			}
		})
	}
}
