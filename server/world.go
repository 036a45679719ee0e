package server

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/server/life"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// world is the server as package life sees it: what the loop, the listener and
// the poll read, change and ask. load.go reads, install.go puts in force.
type world struct{ *Server }

// ReadConfig implements life.World.
func (w world) ReadConfig(ctx context.Context) life.Config {
	return w.readConfiguration(ctx)
}

// ReadCatalog implements life.World.
func (w world) ReadCatalog(ctx context.Context, fresh bool, inForce func(life.Config)) life.Catalog {
	return w.readEverything(ctx, fresh, func(r *configRead) { inForce(r) })
}

// Retrying implements life.World.
func (w world) Retrying(pause time.Duration) { w.log.Reconnecting(pause) }

// Channel implements life.ListenerHost.
func (w world) Channel() life.Channel {
	c := w.config()
	return life.Channel{Enabled: c.DBChannelEnabled, Name: c.DBChannel}
}

// Connect implements life.ListenerHost.
func (w world) Connect() (*pgwire.Config, error) {
	return connectConfig(w.config(), w.options.Version, true)
}

// PollInterval implements life.ListenerHost and life.PollHost.
func (w world) PollInterval() time.Duration { return w.config().DBSchemaPollInterval }

// Fatal implements life.ListenerHost. After the first catalog, an error of the listener
// does not end the process: the pool, which has the same password, decides.
func (w world) Fatal(err error) bool {
	return w.snapshot.Load().planner == nil && w.checkFatal(err, false)
}

// GiveUp implements life.ListenerHost.
func (w world) GiveUp(err error) bool { return w.giveUp(err) }

// SchemaChanged implements life.PollHost.
func (w world) SchemaChanged() { w.log.SchemaChanged() }

// PollFailed implements life.PollHost.
func (w world) PollFailed(err error) { w.log.PollFailed(problemText(err)) }

// newLife makes the loop and what asks it for reloads.
func (s *Server) newLife(log *oplog.Logger) {
	w := world{s}
	s.life = life.New()
	s.listener = life.NewListener(s.life, w, log)
	s.poll = life.NewPoll(s.life, w)
}
