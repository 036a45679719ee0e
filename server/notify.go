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
// succeeded or failed for the first time.
func (s *Server) startListener(ctx context.Context) <-chan struct{} {
	s.listenLock.Lock()
	defer s.listenLock.Unlock()
	first := make(chan struct{})
	tried := sync.OnceFunc(func() { close(first) })
	c := s.config()
	s.listenWanted = &c.DBChannelEnabled
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
				if why != nil && why == said {
					return
				}
				said = why
				s.log.ListenerFailed(c.DBChannel, err)
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

// followChannel begins or ends to listen if db-channel-enabled has changed,
// whatever the reload that has read it was about.
func (s *Server) followChannel(ctx context.Context) {
	s.listenLock.Lock()
	follows := s.listenWanted != nil && *s.listenWanted != s.config().DBChannelEnabled
	s.listenLock.Unlock()
	if follows {
		s.relisten(ctx)
	}
}

// relisten begins to listen anew, if we are to listen.
func (s *Server) relisten(ctx context.Context) {
	s.stopListener()
	s.startListener(ctx)
}

// stopListener stops listening and waits until nobody listens any more.
func (s *Server) stopListener() {
	s.listenLock.Lock()
	defer s.listenLock.Unlock()
	if s.listenCancel != nil {
		s.listenCancel()
		s.listening.Wait()
		s.listener.Store(listenerOff)
		s.listenCancel = nil
	}
}
