package server

import "context"

// loadCatalog does what the loop does for a wanted catalog.
func (s *Server) loadCatalog(ctx context.Context) error {
	r := s.readEverything(ctx, false, func(c *configRead) { c.Install() })
	r.Install()
	return r.err
}

// reloadConfig does what the loop does for a wanted configuration.
func (s *Server) reloadConfig(ctx context.Context) { s.readConfiguration(ctx).Install() }
