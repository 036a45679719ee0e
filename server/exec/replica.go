package exec

import (
	"errors"
	"strings"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
)

// MayReplicate reports whether a read replica can run calls of the plan for a role. It
// cannot run serializable transactions.
func (r *Rules) MayReplicate(plan *Runnable, role []byte) bool {
	if !plan.Replicable() {
		return false
	}
	level := r.role(role).isolation
	if plan.Isolation != "" {
		level = namedIsolations[plan.Isolation]
	}
	return level != pgwire.Serializable
}

// OtherNode reports whether a read that failed on a node has to run on another one.
// lost: there is no connection to the node, or it was lost.
func OtherNode(err error) (other, lost bool) {
	var (
		conn   *pgwire.ConnError
		server *pgwire.Error
	)
	switch {
	case errors.As(err, &conn):
		switch conn.Kind {
		case pgwire.Canceled, pgwire.Unsendable, pgwire.NoResponse:
			return false, false
		}
		return true, true
	case errors.Is(err, pool.ErrSevered):
		return true, true
	case noConnection(err):
		return false, false // the primary must not get what the replicas have no time for
	case errors.As(err, &server):
		return server.Fatal() || ofReplica(server.Code), server.Fatal()
	}
	return false, false
}

// ofReplica reports whether the same read could succeed on the primary: the replica cannot do
// what it is asked for, is stopping, has to apply changes that conflict with the read, or has
// not replayed a change yet.
func ofReplica(code string) bool {
	if code == pgwire.QueryCanceled {
		return false
	}
	for _, class := range replicaErrors {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// replicaErrors are such SQLSTATEs and classes: features that a replica lacks (unlogged
// tables, transaction ids), read-only transactions, conflicts with recovery, unknown
// names and privileges, unknown roles, lack of resources, and failures of the system.
var replicaErrors = []string{"0A", "22023", "25", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX"}
