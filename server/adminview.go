package server

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/fastgrest/fastgrest/server/life"
)

// adminView is what the admin port may ask of the server.
type adminView struct{ *Server }

func (a adminView) Live() bool {
	if !a.live.Load() {
		return false
	}
	if a.socketFile == "" {
		return true
	}
	_, err := os.Stat(a.socketFile)
	return err == nil
}

// readsOnly is what /ready says while only read replicas serve requests.
const readsOnly = "The primary cannot be reached. Read replicas serve reads, and writes get status 503.\n"

// Ready is the readiness of the primary. If that is away and read replicas serve reads,
// the server stays ready and says so.
func (a adminView) Ready() (ready bool, notice string) {
	switch {
	case a.nodes == nil:
		return a.primaryReady(), ""
	case a.nodes.Up() && a.primaryReady():
		return true, ""
	case a.snapshot.Load().planner != nil && a.nodes.ServesReads(a.snapshot.Load().position):
		return true, readsOnly
	}
	return false, ""
}

// primaryReady trusts the listener's connection. Without a listener, or if no
// notifications can arrive, it asks the database.
func (a adminView) primaryReady() bool {
	switch {
	case !a.life.Loaded():
		return false
	case a.config().DBChannelEnabled && a.listener.State() != life.ListenerImpossible:
		return a.listener.State() == life.ListenerOn
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyPatience)
	defer cancel()
	conn, err := a.acquireReset(ctx)
	if err != nil {
		return false
	}
	defer conn.Release()
	return conn.Exec(ctx, "select 1") == nil
}

// readyPatience is how long the database may take for a trivial statement. A pool
// that is busy for longer should get no more requests.
const readyPatience = 5 * time.Second

// SchemaCache renders the catalog once for each catalog.
func (a adminView) SchemaCache() []byte {
	p := a.snapshot.Load().planner
	if p == nil {
		return nil
	}
	return p.Catalog().AppendJSON(nil)
}

func (a adminView) WriteMetrics(w io.Writer) error { return a.metrics.WriteText(w) }
