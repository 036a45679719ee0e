package server

import (
	"io"
	"os"
)

// adminView is what the admin port may ask of the server.
type adminView Server

func (a *adminView) Live() bool {
	if !a.live.Load() {
		return false
	}
	if a.socketFile == "" {
		return true
	}
	_, err := os.Stat(a.socketFile)
	return err == nil
}

func (a *adminView) Ready() bool { return a.reloads.loaded.Load() }

// SchemaCache renders the catalog once for each catalog.
func (a *adminView) SchemaCache() []byte {
	p := a.snapshot.Load().planner
	if p == nil {
		return nil
	}
	return p.Catalog().AppendJSON(nil)
}

func (a *adminView) WriteMetrics(w io.Writer) error { return a.metrics.WriteText(w) }
