package nodes

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

const (
	// interval is how often a node is asked for its state.
	interval = time.Second
	// quickInterval is how often it is asked while requests wait for a position.
	quickInterval = 3 * time.Millisecond
	// silence is how long a node may take to answer and still gets requests.
	silence = 700 * time.Millisecond
	// patience is how long it may take before its connections are given up, so that the
	// reads on them run elsewhere.
	patience = 2500 * time.Millisecond
	// connectPatience bounds an attempt to connect.
	connectPatience = 2 * time.Second
)

// watch asks a node for its state until ctx ends.
func (n *Nodes) watch(ctx context.Context, node *Node) {
	cfg := node.config.Copy()
	cfg.CancelWait = time.Millisecond // a node that is silent does not react to it
	for ctx.Err() == nil {
		answered := false
		conn, err := connect(ctx, cfg)
		if err == nil {
			answered, err = n.follow(ctx, node, conn)
			_ = conn.Close()
		}
		if ctx.Err() != nil {
			return
		}
		n.lost(node, err)
		if answered && !slow(err) {
			continue // perhaps only the connection was lost: the next one shows whether the node answers
		}
		if !node.primary && !errors.As(err, new(*pgwire.Error)) { // no answer, not even a refusal
			node.Pool.Sever()
		}
		pause(ctx, interval)
	}
}

func connect(ctx context.Context, cfg *pgwire.Config) (*pgwire.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	return pgwire.Connect(ctx, cfg)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// slow reports whether the node took too long to answer.
func slow(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// follow asks for the state on a connection until it fails. answered: the node has
// answered before that.
func (n *Nodes) follow(ctx context.Context, node *Node, conn *pgwire.Conn) (answered bool, err error) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		a, err := n.askOn(ctx, node, conn)
		if err != nil {
			return answered, err
		}
		answered = true
		n.answered(node, a)
		wait := interval
		if n.waiters.Load() > 0 {
			wait = quickInterval
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return answered, ctx.Err()
		case <-node.asked:
		case <-timer.C:
		}
	}
}

// askOn asks for the state once. If the answer takes long, the node gets no requests
// meanwhile.
func (n *Nodes) askOn(ctx context.Context, node *Node, conn *pgwire.Conn) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	late := time.AfterFunc(silence, func() { n.lost(node, pool.ErrSevered) })
	defer late.Stop()
	return askState(ctx, conn.Query)
}

// answer is what a node says of itself.
type answer struct {
	recovery bool
	position Position // of a primary: what is on its disk; of a replica: what it has replayed
	identity string
	age      time.Duration // since the last transaction that a replica has replayed was committed
	hasAge   bool
	at       time.Time // before the question
}

// Query is pgwire.Conn.Query.
type Query func(ctx context.Context, sql string, args []string, each func(columns [][]byte) error) error

// stateSQL needs no privilege, except for the timeline of a WAL receiver: that needs the role
// pg_read_all_stats. The statement switches to this role, if the authenticator may, because
// the authenticator inherits nothing. Without the role the timeline is that of the control
// file, which a replica writes some time after it has begun to follow a new primary.
const stateSQL = `SELECT r.recovery,
  CASE WHEN r.recovery THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END,
  CASE WHEN r.recovery THEN pg_catalog.lpad(pg_catalog.to_hex(GREATEST(
      (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
      (SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
      (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver))), 8, '0')
    ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) END,
  (SELECT system_identifier FROM pg_catalog.pg_control_system()),
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000,
  extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
FROM (SELECT pg_catalog.pg_is_in_recovery() AS recovery,
  CASE WHEN pg_catalog.pg_has_role('pg_read_all_stats', CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000 THEN 'MEMBER' ELSE 'SET' END)
    THEN pg_catalog.set_config('role', 'pg_read_all_stats', true) END OFFSET 0) AS r`

var errAnswer = errors.New("the database gave no answer about its state")

func askState(ctx context.Context, query Query) (a answer, err error) {
	a.at = time.Now()
	err = errAnswer
	failed := query(ctx, stateSQL, nil, func(columns [][]byte) error {
		a, err = readState(columns, a.at)
		return nil
	})
	if failed != nil {
		return a, failed
	}
	return a, err
}

func readState(columns [][]byte, at time.Time) (a answer, err error) {
	if len(columns) != 7 || columns[1] == nil {
		return a, errAnswer
	}
	a.at = at
	a.recovery = string(columns[0]) == "t"
	if a.position.LSN, err = parseLSN(string(columns[1])); err != nil {
		return a, err
	}
	if a.position.Timeline, err = timelineOf(columns[2]); err != nil {
		return a, err
	}
	a.identity = string(columns[3]) + " " + string(columns[4]) + " " + string(columns[5])
	if seconds, err := strconv.ParseFloat(string(columns[6]), 64); err == nil {
		a.age, a.hasAge = time.Duration(seconds*float64(time.Second)), true
	}
	return a, nil
}

// timelineOf reads the timeline at the beginning of the name of a WAL file.
func timelineOf(name []byte) (uint32, error) {
	if len(name) < 8 {
		return 0, errAnswer
	}
	n, err := strconv.ParseUint(string(name[:8]), 16, 32)
	return uint32(n), err
}

// hereSQL returns a position after all transactions that were committed, and all snapshots
// that were taken, before it runs. It is the insert position, because the record of an
// asynchronous commit may not be on the disk yet. Replicas get only what is on the disk, and on
// an idle primary such a record could stay in memory. So the transaction takes an ID: when a
// transaction with an ID ends, by a rollback too, the WAL writer writes the WAL up to there.
const hereSQL = `SELECT l.lsn, pg_catalog.pg_walfile_name(l.lsn), pg_catalog.pg_current_xact_id()
FROM (SELECT pg_catalog.pg_current_wal_insert_lsn() AS lsn OFFSET 0) AS l`

// Here returns the position of a primary, or zero on a server in recovery. Call it in a
// transaction: when that ends, the WAL is written up to the position.
func Here(ctx context.Context, query Query) (p Position, err error) {
	recovery := false
	if err = query(ctx, "SELECT pg_catalog.pg_is_in_recovery()", nil, func(columns [][]byte) error {
		recovery = string(columns[0]) == "t"
		return nil
	}); err != nil || recovery {
		return p, err
	}
	failed := query(ctx, hereSQL, nil, func(columns [][]byte) error {
		p, err = readPosition(columns)
		return nil
	})
	if failed != nil {
		err = failed
	}
	return p, err
}

// readPosition reads what hereSQL returns.
func readPosition(columns [][]byte) (p Position, err error) {
	if len(columns) != 3 {
		return p, errAnswer
	}
	if p.LSN, err = parseLSN(string(columns[0])); err == nil {
		p.Timeline, err = timelineOf(columns[1])
	}
	return p, err
}
