package server

import (
	"cmp"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/cors"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/life"
	"github.com/fastgrest/fastgrest/server/metrics"
	"github.com/fastgrest/fastgrest/server/nodes"
)

// With read replicas each node has a pool of its own, with its prepared statements, sharing
// of connections, session resets and cancels. A request runs on one node. If a read fails
// there, it runs on another node, unless a part of its response has been sent.

// replicaConnectTimeout bounds an attempt to connect to a replica. Others can answer.
const replicaConnectTimeout = 5 * time.Second

// errSeveralHosts: a node is one server, because its state is that of one server.
var errSeveralHosts = errors.New("each connection string has to name one server")

// newNodes makes the nodes, nil without read replicas.
func (s *Server) newNodes(c *config.Config, primary *pgwire.Config) (*nodes.Nodes, error) {
	uris := c.ReplicaStrings(config.ConnOptions{ApplicationName: appName(s.options.Version)})
	if len(uris) == 0 {
		return nil, nil
	}
	all := nodes.New(nodes.Options{
		MaxLag:  c.DBReplicaMaxLag,
		Wait:    c.DBReplicaWait,
		Changed: s.nodeChanged,
		Moved:   func() { s.life.Ask(life.ReloadCatalog) },
	}, "primary", primary, s.pool)
	var names []string
	for _, uri := range uris {
		connect, err := parseConnect(c, "db-uri-read-replicas", uri)
		if err != nil {
			return nil, err
		}
		for _, f := range connect.Fallbacks { // the same server without TLS is one of them
			if f.Host != connect.Host || f.Port != connect.Port {
				return nil, &uriError{"db-uri-read-replicas", errSeveralHosts}
			}
		}
		o := poolOptions(c, connect)
		o.ConnectTimeout = replicaConnectTimeout
		if c.DBPoolReplica > 0 {
			o.MaxConns = c.DBPoolReplica
		}
		p, err := pool.New(o)
		if err != nil {
			return nil, err
		}
		address := net.JoinHostPort(connect.Host, strconv.Itoa(int(connect.Port)))
		name := address
		for i := 2; slices.Contains(names, name); i++ {
			name = address + " (" + strconv.Itoa(i) + ")"
		}
		names = append(names, name)
		all.Add(name, connect, p)
	}
	return all, nil
}

// nodeChanged logs that a node serves requests, or why it does not.
func (s *Server) nodeChanged(node, why, problem string) {
	switch {
	case why == "":
		s.log.NodeServes(node)
	case problem == "":
		s.log.NodeServesNot(node, why)
	default:
		s.log.NodeServesNot(node, why+": "+problem)
	}
}

// nodeFigures describes the nodes.
func (s *Server) nodeFigures() (list []metrics.Node) {
	if s.nodes == nil {
		return nil
	}
	for _, n := range s.nodes.Figures() {
		list = append(list, metrics.Node{
			Name: n.Name, Primary: n.Primary, Serves: n.Serves, HasLag: n.HasLag, Lag: n.Lag,
			InFlight: n.InFlight, Requests: n.Requests, Retried: n.Retried, Refused: n.Refused,
		})
	}
	return list
}

// runCall runs a call that was filled by callOf, on the node that it goes to.
func (rq *request) runCall(c *exec.Call) error {
	if rq.server.nodes == nil { // fast path
		return rq.runOnce(c)
	}
	return rq.onNode(rq.mayReplicate(c.Plan), func() error { return rq.runOnce(c) })
}

// mayReplicate reports whether a replica may run the plan for the request.
func (rq *request) mayReplicate(plan *exec.Runnable) bool {
	return rq.prefer.Read != header.ReadPrimary && rq.snap.rules.MayReplicate(plan, bytesOf(rq.caller.Role))
}

// onNode runs fn on a node, which it makes the node of the call, and on another one if that
// fails. replicable: fn only reads, and a replica may run it.
func (rq *request) onNode(replicable bool, fn func() error) error {
	all := rq.server.nodes
	if all == nil {
		return fn()
	}
	node := all.Primary()
	if replicable {
		node = rq.pickNode(nil)
	}
	var tried []*nodes.Node
	var down error // of the primary
	for {
		rq.leaveNode()
		rq.trace.node = node
		node.Begin()
		rq.call.Replica = nil
		if !node.Primary() {
			rq.call.Replica = node.Pool
		}
		err := fn()
		if err == nil || !replicable || rq.response.running != nil {
			return err
		}
		other, lost := exec.OtherNode(err)
		if !other {
			return err
		}
		failed := node
		tried = append(tried, failed)
		switch {
		case !failed.Primary() && lost:
			node = rq.pickNode(tried)
		case !failed.Primary():
			node, replicable = all.Primary(), false // the replica cannot run the read, and the primary may
		case lost: // a replica that was behind may have caught up
			down = err
			node = all.Await(rq.snap.position, rq.bookmark, tried)
		}
		again := !slices.Contains(tried, node)
		if !failed.Primary() {
			failed.Failed(lost, again)
		}
		if !again {
			return cmp.Or(down, err)
		}
	}
}

// pickNode chooses the node of a read.
func (rq *request) pickNode(tried []*nodes.Node) *nodes.Node {
	if rq.bookmark.IsZero() {
		return rq.server.nodes.Pick(rq.snap.position, rq.bookmark, tried)
	}
	return rq.server.nodes.Await(rq.snap.position, rq.bookmark, tried)
}

const headerBookmark = "Pgrst-Bookmark"

var exposedBookmark = cors.Exposed(headerBookmark)

// readBookmark reads the bookmark of the request, if there are read replicas.
func (rq *request) readBookmark() (err error) {
	rq.bookmark = nodes.Position{}
	if rq.server.nodes == nil {
		return nil
	}
	text := rq.header(headerBookmark)
	if text == nil {
		return nil
	}
	if rq.bookmark, err = nodes.ParseBookmark(string(text)); err != nil {
		return newProblem(400, "PGRSTX60", "Invalid "+headerBookmark).
			withDetails("A bookmark is the value of the header " + headerBookmark + " of an earlier response.")
	}
	return nil
}

// setBookmark tells the client where a write ended.
func (rq *request) setBookmark() {
	if text := rq.execution.Bookmark(); len(text) > 0 {
		rq.ctx.Response.Header.SetBytesV(headerBookmark, text)
	}
}

// leaveNode ends the request on its node.
func (rq *request) leaveNode() {
	if rq.trace.node != nil {
		rq.trace.node.End()
		rq.trace.node = nil
	}
}
