package life

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/listen"
)

// Channel has the settings of notifications.
type Channel struct {
	Enabled bool
	Name    string
}

// ListenerHost is the server as a listener sees it.
type ListenerHost interface {
	// Channel returns the settings in force.
	Channel() Channel
	// Connect returns how to connect to a server that takes writes.
	Connect() (*pgwire.Config, error)
	// PollInterval returns how often the catalog is looked at, 0 for never.
	PollInterval() time.Duration
	// Fatal ends the process, and reports true, if there is no catalog yet and
	// waiting cannot cure the error.
	Fatal(error) bool
	// GiveUp ends the process, and reports true, if the configuration does not
	// allow it to wait for the database.
	GiveUp(error) bool
}

// ListenerLog is the part of the log that a listener writes.
type ListenerLog interface {
	ListenerStarted(version, host, port, channel string)
	ListenerSchemaReload(channel string)
	ListenerConfigReload(channel string)
	ListenerFailed(channel string, err error)
	ListenerQueueFix()
	ListenerImpossible(why error, pollInterval time.Duration)
	ListenerRetrying(pause time.Duration)
}

// Listener asks for reloads when notifications arrive, and when some may have
// been missed. It has a connection apart from the pool. It implements
// Notifications.
type Listener struct {
	loop *Loop
	host ListenerHost
	log  ListenerLog

	state   atomic.Int32
	reached chan struct{} // the pool has reached the database

	channel Channel            // with which it was started
	cancel  context.CancelFunc // nil: stopped
	running sync.WaitGroup
}

// NewListener makes a listener that asks loop for reloads. It is not started.
func NewListener(loop *Loop, host ListenerHost, log ListenerLog) *Listener {
	return &Listener{loop: loop, host: host, log: log, reached: make(chan struct{}, 1)}
}

// ListenerState is whether notifications arrive.
type ListenerState int32

const (
	ListenerOff        ListenerState = iota // not connected
	ListenerOn                              // connected, and notifications arrive
	ListenerImpossible                      // connected to what sends no notifications
)

// State returns the state. Any goroutine may call it.
func (l *Listener) State() ListenerState { return ListenerState(l.state.Load()) }

// Reached tells that the database has just been reached, so that a listener
// that is not connected tries again soon. Any goroutine may call it; it does not
// block.
func (l *Listener) Reached() {
	if l.State() == ListenerOff {
		wake(l.reached)
	}
}

func (l *Listener) set(state ListenerState) { l.state.Store(int32(state)) }

// Start implements Notifications.
func (l *Listener) Start(ctx context.Context) <-chan struct{} {
	first := make(chan struct{})
	tried := sync.OnceFunc(func() { close(first) })
	c := l.host.Channel()
	l.channel = c
	if !c.Enabled {
		tried()
		return first
	}
	connect, err := l.host.Connect()
	if err != nil {
		l.log.ListenerFailed(c.Name, err)
		tried()
		return first
	}
	ctx, l.cancel = context.WithCancel(ctx)
	f := listenerFailures{Listener: l, channel: c.Name}
	l.running.Go(func() {
		_ = listen.Run(ctx, listen.Options{
			Config: connect, Channel: c.Name, Wake: l.reached,
			Connected: func(s listen.Session) {
				// What was sent before is lost. The first load comes later, unless
				// it did not wait for us.
				if s.Again || l.loop.begun.Load() {
					l.loop.Ask(ReloadCatalog)
				}
				f.told = nil
				l.set(ListenerOn)
				l.log.ListenerStarted(s.Version, s.Host, s.Port, c.Name)
				tried() // the lines of the first load come after this one
			},
			Notified: func(payload string) { l.notified(c.Name, payload) },
			Failed: func(err error, pause time.Duration) {
				f.failed(err, pause)
				tried()
			},
		})
	})
	return first
}

func (l *Listener) notified(channel, payload string) {
	switch payload {
	case "", "reload schema":
		l.log.ListenerSchemaReload(channel)
		l.loop.Ask(ReloadCatalog)
	case "reload config":
		l.log.ListenerConfigReload(channel)
		l.loop.Ask(ReloadConfig)
	}
}

// listenerFailures tells of failures. Only the goroutine that listens uses it.
type listenerFailures struct {
	*Listener
	channel string
	told    error // why there can be no notifications, once that has been logged
}

// failed tells that an attempt to connect has failed, or a connection has ended.
func (f *listenerFailures) failed(err error, pause time.Duration) {
	why := impossible(err)
	if why != nil {
		f.set(ListenerImpossible)
	} else {
		f.set(ListenerOff)
	}
	if f.host.Fatal(err) || why != nil && why == f.told {
		return
	}
	f.told = why
	f.log.ListenerFailed(f.channel, err)
	if listen.QueueStuck(err) {
		f.log.ListenerQueueFix()
	}
	if f.host.GiveUp(err) {
		return
	}
	if why != nil {
		f.log.ListenerImpossible(why, f.host.PollInterval())
	}
	f.log.ListenerRetrying(pause)
}

// impossible returns the reason why another attempt cannot succeed, nil if it may.
func impossible(err error) error {
	for _, why := range []error{listen.ErrReadOnly, listen.ErrPooler} {
		if errors.Is(err, why) {
			return why
		}
	}
	return nil
}

// Follow implements Notifications.
func (l *Listener) Follow(ctx context.Context) {
	if l.host.Channel() != l.channel {
		l.Restart(ctx)
	}
}

// Restart implements Notifications.
func (l *Listener) Restart(ctx context.Context) {
	l.Stop()
	l.Start(ctx)
}

// Stop implements Notifications.
func (l *Listener) Stop() {
	if l.cancel != nil {
		l.cancel()
		l.running.Wait()
		l.set(ListenerOff)
		l.cancel = nil
	}
}
