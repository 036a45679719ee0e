package server

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// notifySignals reloads the catalog on SIGUSR1, the configuration on SIGUSR2
// and both on SIGHUP.
func (s *Server) notifySignals(ctx context.Context) (stop func()) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-c:
				if sig != syscall.SIGUSR1 {
					s.reloads.wantConfig()
				}
				if sig != syscall.SIGUSR2 {
					s.reloads.wantCatalog()
				}
			}
		}
	}()
	return func() { signal.Stop(c) }
}
