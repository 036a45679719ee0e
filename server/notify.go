package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/listen"
	"github.com/fastgrest/fastgrest/server/config"
)

// startListener listens for NOTIFY on db-channel, on a connection of its own,
// if db-channel-enabled is set. The channel it returns is closed when that has
// succeeded or failed for the first time. Only reloadLoop calls it, and the
// functions that stop the listener.
func (s *Server) startListener(ctx context.Context) <-chan struct{} {
	first := make(chan struct{})
	tried := sync.OnceFunc(func() { close(first) })
	c := s.config()
	s.listenConfig = c
	if !c.DBChannelEnabled {
		tried()
		return first
	}
	connect, err := connectConfig(c, s.options.Version, true)
	if err != nil {
		s.log.ListenerFailed(c.DBChannel, err)
		tried()
		return first
	}
	ctx, s.listenCancel = context.WithCancel(ctx)
	var said error // why there can be no notifications here, once it has been logged
	s.listening.Go(func() {
		listen.Run(ctx, listen.Options{
			Config: connect, Channel: c.DBChannel, Wake: s.reloads.reached,
			Connected: func(session listen.Session) {
				// What was sent before is lost. The first catalog is not read before
				// we listen, if that does not take long.
				if session.Again || s.reloads.begun.Load() {
					s.reloads.wantCatalog()
				}
				said = nil
				s.listener.Store(listenerOn)
				tried()
				s.log.ListenerStarted(session.Version, session.Host, session.Port, c.DBChannel)
			},
			Notified: func(payload string) { s.notified(c, payload) },
			Failed: func(err error, pause time.Duration) {
				why := impossible(err)
				state := listenerOff
				if why != nil {
					state = listenerImpossible
				}
				s.listener.Store(state)
				defer tried()
				// Later the pool decides: it needs the same password.
				if s.snapshot.Load().planner == nil && s.checkFatal(err, false) {
					return
				}
				if why != nil && why == said {
					return
				}
				said = why
				s.log.ListenerFailed(c.DBChannel, err)
				if listen.QueueStuck(err) {
					s.log.ListenerQueueFix()
				}
				if !s.config().DBPoolAutomaticRecovery {
					s.giveUp(err)
					return
				}
				if why != nil {
					s.log.ListenerImpossible(why, s.config().DBSchemaPollInterval)
				}
				s.log.ListenerRetrying(pause)
			},
		})
	})
	return first
}

// States of the listener.
const (
	listenerOff        int32 = iota // not connected
	listenerOn                      // connected, and notifications arrive
	listenerImpossible              // connected to what sends no notifications
)

// impossible returns why trying again does not help, nil if it may.
func impossible(err error) error {
	for _, why := range []error{listen.ErrReadOnly, listen.ErrPooler} {
		if errors.Is(err, why) {
			return why
		}
	}
	return nil
}

func (s *Server) notified(c *config.Config, payload string) {
	switch payload {
	case "", "reload schema":
		s.log.ListenerSchemaReload(c.DBChannel)
		s.reloads.wantCatalog()
	case "reload config":
		s.log.ListenerConfigReload(c.DBChannel)
		s.reloads.wantConfig()
	}
}

// followChannel starts or stops the listener if the configuration now wants
// something else.
func (s *Server) followChannel(ctx context.Context) {
	old, c := s.listenConfig, s.config()
	if old != nil && (old.DBChannelEnabled != c.DBChannelEnabled || old.DBChannel != c.DBChannel) {
		s.relisten(ctx)
	}
}

// relisten starts the listener anew, if there is to be one.
func (s *Server) relisten(ctx context.Context) {
	s.stopListener()
	s.startListener(ctx)
}

// stopListener stops the listener and waits for its end.
func (s *Server) stopListener() {
	if s.listenCancel != nil {
		s.listenCancel()
		s.listening.Wait()
		s.listener.Store(listenerOff)
		s.listenCancel = nil
	}
}
