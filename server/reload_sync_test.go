package server

import "context"

// loadCatalog does what reloadLoop does for a wanted catalog.
func (s *Server) loadCatalog(ctx context.Context) error {
	return s.applyCatalog(s.readEverything(ctx, func(r *configRead) { s.applyConfig(ctx, r) }))
}

// reloadConfig does what reloadLoop does for a wanted configuration.
func (s *Server) reloadConfig(ctx context.Context) { s.applyConfig(ctx, s.readConfiguration(ctx)) }
